namespace TaskRecovery.Storage;

/// <summary>An event to store, in the transaction of what it reports.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Audit">Who did it, and why; <see langword="null"/> if no operator did.</param>
internal sealed record NewEvent(QueueEventKind Kind, AuditInfo? Audit = null)
{
    /// <summary>The detail of a resumption without an operator.</summary>
    public const string PauseIsOver = "the time of the pause is over";

    public string? Node { get; init; }

    public long? EntryId { get; init; }

    public string? Subject { get; init; }

    public long? OperationId { get; init; }

    public long? Entries { get; init; }

    public string? Detail { get; init; }
}
