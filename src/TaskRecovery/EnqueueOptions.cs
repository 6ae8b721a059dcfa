using System.Globalization;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery;

/// <summary>Options of one entry: its queue, when it runs, and its limits.</summary>
public sealed record EnqueueOptions
{
    /// <summary>The queue that the entry is added to.</summary>
    /// <value>Default: <see langword="null"/>, which means <c>default</c>. At most 100 bytes of UTF-8.</value>
    public string? Queue { get; init; }

    /// <summary>The priority within the queue, from 0 (most urgent) to 9 (least urgent). Entries of equal priority run in the order in
    /// which they became due.</summary>
    /// <value>Default: 5.</value>
    public int Priority { get; init; } = 5;

    /// <summary>The earliest time at which the entry may run, by the database's clock. A time in the past means now. Can't be combined with
    /// <see cref="RunAfter"/>.</summary>
    /// <value>Default: <see langword="null"/> (now). Before the year 9000.</value>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>The delay before the entry may run, measured by the database's clock from the time it is stored. Can't be combined with
    /// <see cref="RunAt"/>.</summary>
    /// <value>Default: <see langword="null"/> (no delay). Zero to 36,500 days.</value>
    public TimeSpan? RunAfter { get; init; }

    /// <summary>The time after which the entry no longer starts, by the database's clock. An entry that has not started by then ends as
    /// cancelled, with the reason <see cref="EndReasons.Expired"/>, when a node would have started it. What has started runs again even
    /// after this time: an attempt that failed or crashed is retried, and a run that was snoozed or released continues. So does an entry
    /// that an operator puts back.</summary>
    /// <value>Default: <see langword="null"/>, which means that the entry does not expire. Later than
    /// <see cref="RunAt"/> and before the year 9000.</value>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The maximum number of attempts before the entry ends as failed. Node crashes do not count as attempts.</summary>
    /// <value>Default: <see langword="null"/>, which means the number of the kind's registration in the process that enqueues
    /// (<c>AddWorker</c>, or <c>AddKind</c> where it does not run), or 10. 1 to 1,000.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>A key that prevents duplicates. While an entry of the same kind with this key has not ended, no second entry is stored and
    /// the first entry's id is returned. An entry that no node has claimed by its <see cref="ExpiresAt"/> ends then, and the new one is
    /// stored.</summary>
    /// <remarks>On PostgreSQL, a transaction of the application that has stored an entry with the key, or has completed the entry that
    /// holds it, keeps other enqueues of the same key waiting until it ends: after 30 s they fail with
    /// <see cref="StoreUnavailableException"/>, and nothing of them is stored. Enqueues of other keys do not wait for it.</remarks>
    /// <value>Default: <see langword="null"/> (no key). At most 255 bytes of UTF-8.</value>
    public string? UniqueKey { get; init; }

    /// <summary>The time limit of one attempt. When it is exceeded, the worker's token is cancelled. If the worker then throws, the attempt
    /// has failed; if it returns, the entry is completed.</summary>
    /// <value>Default: <see langword="null"/>, which means <see cref="WorkerOptions.Timeout"/> of the worker, or no limit. A
    /// microsecond to 45 days.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Application-defined data stored with the entry. Readable with <see cref="IJobQueue.FindAsync"/> and by the worker
    /// (<see cref="WorkContext.Metadata"/>).</summary>
    /// <value>Default: <see langword="null"/>. At most 16 KiB as JSON.</value>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Describes the queue, priority and time. Omits the unique key and the metadata, which don't belong in logs.</summary>
    public override string ToString()
        => $"Queue {EntryText.Shown(Queue ?? EntryLimits.DefaultQueue)}, priority {Priority}, "
            + $"run at {RunAt?.ToString("O", CultureInfo.InvariantCulture) ?? RunAfter?.ToString() ?? "now"}";
}
