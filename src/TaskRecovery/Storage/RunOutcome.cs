using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The outcome of one run, to be stored under its fence.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record RunOutcome
{
    /// <summary>The id of the entry.</summary>
    public required long EntryId { get; init; }

    /// <summary>The fence (claim id) of the run.</summary>
    public required long Fence { get; init; }

    /// <summary>The kind of outcome.</summary>
    public required OutcomeKind Kind { get; init; }

    /// <summary>The result as UTF-8 JSON; empty for none.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>The error text; <see langword="null"/> for none.</summary>
    public string? Error { get; init; }

    /// <summary>The reason code (see <see cref="EndReasons"/>); <see langword="null"/> for none.</summary>
    public string? Reason { get; init; }

    /// <summary>For <see cref="OutcomeKind.Retried"/>, <see cref="OutcomeKind.Snoozed"/> and <see cref="OutcomeKind.Released"/>: the delay
    /// before the entry runs again.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The duration of the run.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether the entry holds a unique key.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether the entry runs a task, whose record is updated in the same statement.</summary>
    public bool IsTask { get; init; }

    /// <summary>For an entry that runs a task: whether the start of the run (<see cref="IJobStore.StartTaskAsync"/>) was answered, or was
    /// not asked for. If not, a start may still be under way in the store. The outcome then waits for it, and ends its task.</summary>
    public bool IsStartAnswered { get; init; }

    /// <summary>Returns a text without the result and the error, which may contain the application's data.</summary>
    public override string ToString() => $"Outcome of entry {EntryId} under fence {Fence}: {Kind}";
}
