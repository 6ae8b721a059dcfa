using System.Globalization;
using TaskRecovery.Queue;

namespace TaskRecovery;

/// <summary>When, where and how an entry runs.</summary>
public sealed record EnqueueOptions
{
    /// <summary>The queue to put it in.</summary>
    /// <value>Default: <see langword="null"/>, which means <c>default</c>. At most 100 bytes of UTF-8.</value>
    public string? Queue { get; init; }

    /// <summary>Which entries of a queue run first: 0 is the most urgent, 9 the least. Within a priority, first come, first served.</summary>
    /// <value>Default: 5.</value>
    public int Priority { get; init; } = 5;

    /// <summary>The earliest time to run it, by the database's clock. A time in the past means now. Not together with <see cref="RunAfter"/>.</summary>
    /// <value>Default: <see langword="null"/> (now).</value>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>How long to wait before it runs, counted by the database's clock from when it is stored. Not together with <see cref="RunAt"/>.</summary>
    /// <value>Default: <see langword="null"/> (no wait). Zero to 36,500 days.</value>
    public TimeSpan? RunAfter { get; init; }

    /// <summary>How often it is tried before it ends as failed, 1 to 1,000. Crashes of its node do not count.</summary>
    /// <value>Default: <see langword="null"/>, which means the worker's own, or 10.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>While an entry of the same kind with this key has not ended, a second one is not stored: the first one's id is returned.</summary>
    /// <value>Default: <see langword="null"/> (no key). At most 255 bytes of UTF-8.</value>
    public string? UniqueKey { get; init; }

    /// <summary>How long one attempt may run before its token is cancelled and it counts as failed.</summary>
    /// <value>Default: <see langword="null"/>, which means the worker's own, or no limit. At most 45 days.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Anything that should travel with the entry, shown by <see cref="IJobQueue.FindAsync"/> and to the worker.</summary>
    /// <value>Default: <see langword="null"/>.</value>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Where and when, without the unique key and the metadata.</summary>
    public override string ToString() => $"Queue {EntryText.Shown(Queue ?? EntryLimits.DefaultQueue)}, priority {Priority}, run at {RunAt?.ToString("O", CultureInfo.InvariantCulture) ?? RunAfter?.ToString() ?? "now"}";
}
