using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>An entry returned by a claim.</summary>
[Experimental("TASKRECOVERY001")]
public sealed class ClaimedEntry
{
    /// <summary>The id of the entry.</summary>
    public required long Id { get; init; }

    /// <summary>The kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The priority.</summary>
    public required int Priority { get; init; }

    /// <summary>The arguments as UTF-8 JSON.</summary>
    public required ReadOnlyMemory<byte> Args { get; init; }

    /// <summary>The number of this attempt, starting at 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The maximum number of attempts.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>The number of nodes that died while they held the entry, since it last made progress.</summary>
    public required int Crashes { get; init; }

    /// <summary>The time at which the entry was stored.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>How long the entry had been due at the time of the claim, by the store's clock.</summary>
    public required TimeSpan Waited { get; init; }

    /// <summary>Whether the store knows that the entry was never claimed before, so that it has no steps and no checkpoint of its own. If
    /// the value is <see langword="false"/>, it may have some.</summary>
    public bool IsFirstRun { get; init; }

    /// <summary>Whether the entry holds a unique key, which is released when the entry ends.</summary>
    public bool HasUniqueKey { get; init; }

    /// <summary>Whether a cancel request is stored for the entry.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>The time limit of one attempt; <see langword="null"/> for the worker's own limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long after the claim the entry may still start, by the store's clock; zero or less if it no longer may;
    /// <see langword="null"/> for no limit. Has a value only if every outcome of the entry is a release before its handler had begun
    /// (<see cref="EndReasons.NotStarted"/>): an entry that has started, or that an operator has put back, does not expire.</summary>
    public TimeSpan? StartsWithin { get; init; }

    /// <summary>The metadata as a JSON object; <see langword="null"/> for none.</summary>
    public string? Metadata { get; init; }

    /// <summary>The W3C trace context of the enqueue call; <see langword="null"/> for none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Why the row can't be read; <see langword="null"/> for a valid row. An unreadable entry ends as failed and does not affect
    /// the other entries of the claim.</summary>
    public string? Problem { get; init; }

    /// <summary>Creates the first attempt of an entry that was stored as claimed.</summary>
    public static ClaimedEntry First(NewEntry entry, long id, DateTimeOffset createdAt) => new()
    {
        Id = id,
        Kind = entry.Kind,
        Priority = entry.Priority,
        Args = entry.Args,
        Attempt = 1,
        MaxAttempts = entry.MaxAttempts,
        Crashes = 0,
        CreatedAt = createdAt,
        Waited = TimeSpan.Zero,
        IsFirstRun = true,
        Timeout = entry.Timeout,
        StartsWithin = entry.ExpiresAt - createdAt,
        Metadata = entry.Metadata,
        TraceParent = entry.TraceParent,
    };
}
