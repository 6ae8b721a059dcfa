namespace TaskRecovery.Storage;

/// <summary>An operation with its progress.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Position">Entries with a smaller id are still to be done.</param>
/// <param name="Ids">The ids that it was given; <see langword="null"/> if a query selects its entries.</param>
/// <param name="IsReadable">Whether its query and its ids could be read.</param>
internal sealed record StoredOperation(BulkOperation Operation, long Position, long[]? Ids, bool IsReadable)
{
    private const int SampleSize = 10;

    /// <summary>Whether it is known what it does and to which entries. If it is not, it must not run: an operation without a condition
    /// would change every entry.</summary>
    public bool IsExecutable => Operation switch
    {
        { Action: BulkAction.Undo } => Operation.Undoes is not null,
        { Action: BulkAction.Retry or BulkAction.Cancel, Undoes: null }
            => IsReadable && (Ids is not null || Operation.Query is not null)
                && (Operation.Retry is null || Enum.IsDefined(Operation.Retry.From))
                && Operation.Query?.States?.All(static state => Enum.IsDefined(state)) != false,
        _ => false,
    };

    /// <summary>The entry of an operation on a single id; <see langword="null"/> for any other operation. The events of the operation name
    /// it, because it is how the dashboard retries or cancels one entry.</summary>
    public long? OnlyEntry => Ids is [var only] ? only : null;

    /// <summary>What is shown of the ids that an operation was given.</summary>
    public static long[]? SampleOf(long[]? ids) => ids?.OrderDescending().Take(SampleSize).ToArray();

    /// <summary>The event of an operation that is stopped because it can't be executed.</summary>
    public static NewEvent Unreadable(BulkOperation operation) => new(QueueEventKind.OperationStopped)
    {
        OperationId = operation.Id,
        Subject = operation.Action.ToString(),
        Entries = operation.Done,
        Detail = "what it selects can't be read",
    };
}
