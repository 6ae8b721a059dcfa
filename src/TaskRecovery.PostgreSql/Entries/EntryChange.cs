namespace TaskRecovery.PostgreSql;

/// <summary>What an operator, or a step of an operation, did to an entry.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Result">Whether it was changed, or why not.</param>
internal sealed record EntryChange(long Entry, OperatorResult Result)
{
    /// <summary>The fence of the outcome that was stored or taken back.</summary>
    public long? Fence { get; init; }

    /// <summary>The place at which a cancelled entry had waited.</summary>
    public DateTime? RunAt { get; init; }

    public short? Level { get; init; }

    public short? Attempt { get; init; }

    public short? Crashes { get; init; }

    /// <summary>Whether the entry runs, so that its node has to be notified.</summary>
    public bool IsRunning { get; init; }
}
