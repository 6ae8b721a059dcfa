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

    /// <summary>The name or id of the node that held the claim, which had died or left; <see langword="null"/> if there was
    /// none.</summary>
    public string? Node { get; init; }

    /// <summary>Whether the node died, so that a crash was counted; <see langword="false"/> if it had left, and for a task whose entry was
    /// missing or had ended.</summary>
    public bool NodeDied { get; init; }

    /// <summary>The number of nodes that died while they held the entry, since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>The reason why the item was closed; <see langword="null"/> if it runs again (see <see cref="EndReasons"/>).</summary>
    public string? Reason { get; init; }
}
