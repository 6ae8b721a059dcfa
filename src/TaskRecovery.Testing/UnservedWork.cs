namespace TaskRecovery.Testing;

/// <summary>Entries that are due and that the application under test can't run.</summary>
public sealed record UnservedWork
{
    /// <summary>The kind of the entries.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue of the entries.</summary>
    public required string Queue { get; init; }

    /// <summary>Whether the application has a worker for the kind, so that it only does not serve the queue.</summary>
    public required bool HasWorker { get; init; }

    /// <summary>Whether another application runs the entries: this one has no worker at all, or has registered the kind for enqueueing
    /// only.</summary>
    internal bool IsExpected { get; init; }

    /// <summary>Describes the entries and why they can't run.</summary>
    public override string ToString()
        => $"kind '{Kind}' in the queue '{Queue}': "
            + $"the application {(HasWorker ? "does not serve the queue" : "has no worker for the kind")}";
}
