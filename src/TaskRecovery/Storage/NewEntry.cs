using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Rules;

namespace TaskRecovery.Storage;

/// <summary>An entry to store.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NewEntry
{
    /// <summary>The kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue.</summary>
    public required string Queue { get; init; }

    /// <summary>The priority, 0 to 9.</summary>
    public required int Priority { get; init; }

    /// <summary>The arguments as UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>The earliest time at which the entry may run; <see langword="null"/> for now.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>The delay before the entry may run; <see langword="null"/> for none.</summary>
    public TimeSpan? RunAfter { get; init; }

    /// <summary>The time after which the entry does not start; <see langword="null"/> for none.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The unique key, within the kind; <see langword="null"/> for none.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The time limit of one attempt; <see langword="null"/> for the worker's own limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The metadata as a JSON object; <see langword="null"/> for none.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the enqueue call; <see langword="null"/> for none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Returns the kind and the queue, without what the application stores.</summary>
    public override string ToString() => $"New entry ({EntryText.Shown(Kind)}, queue {EntryText.Shown(Queue)})";
}
