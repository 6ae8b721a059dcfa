using TaskRecovery.Rules;

namespace TaskRecovery;

/// <summary>The options of a worker or task handler.</summary>
public sealed class WorkerOptions
{
    /// <summary>The maximum number of attempts of an entry that does not set <see cref="EnqueueOptions.MaxAttempts"/> or
    /// <see cref="JobDefinition.MaxAttempts"/>.</summary>
    /// <remarks>The number is stored with an entry, by the process that enqueues it, and with a job, by the process that creates it. So a
    /// process without this worker or handler uses its own number (see <c>AddKind</c>), or 10, and a later change counts for new entries
    /// only.</remarks>
    /// <value>Default: 10. 1 to 1,000.</value>
    public int MaxAttempts { get; set; } = EntryLimits.DefaultMaxAttempts;

    /// <summary>The time limit of one attempt of an entry that does not set <see cref="EnqueueOptions.Timeout"/> or
    /// <see cref="JobDefinition.Timeout"/>.</summary>
    /// <value>Default: <see langword="null"/> (no limit). At most 45 days.</value>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The delay before the first retry. It doubles with each further failure, with a random jitter of up to 20 % in either
    /// direction.</summary>
    /// <value>Default: 1 second. Zero to <see cref="RetryMax"/>.</value>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The maximum delay between attempts.</summary>
    /// <value>Default: 1 hour. <see cref="RetryBase"/> to 36,500 days.</value>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether what the handler logs through <c>ILogger</c> is kept with its entry, up to 64 KiB for each run, and shown to
    /// operators (see <see cref="IQueueMonitor.ListLogAsync"/>).</summary>
    /// <value>Default: <see langword="false"/>.</value>
    public bool KeepRunLog { get; set; }
}
