namespace TaskRecovery;

/// <summary>An entry or task that a recovery changed.</summary>
public sealed record RecoveryItem
{
    /// <summary>The action that the recovery took.</summary>
    public required RecoveryAction Action { get; init; }

    /// <summary>The id of the entry; <see langword="null"/> for a task without an entry.</summary>
    public long? EntryId { get; init; }

    /// <summary>The id of the task; <see langword="null"/> if the entry does not run a task.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>The kind of the entry; <see langword="null"/> if not known.</summary>
    public string? Kind { get; init; }

    /// <summary>The queue of the entry; <see langword="null"/> if not known.</summary>
    public string? Queue { get; init; }

    /// <summary>The name or id of the dead node that held the claim; <see langword="null"/> if there was none.</summary>
    public string? Node { get; init; }

    /// <summary>The number of node crashes while the entry was running, since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>The reason why the item was closed; <see langword="null"/> if it runs again (see <see cref="EndReasons"/>).</summary>
    public string? Reason { get; init; }
}
