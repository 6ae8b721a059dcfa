namespace TaskRecovery;

/// <summary>Settings for how long ended entries are kept. Zero means that entries are removed as soon as nothing refers to them.</summary>
public sealed class RetentionOptions
{
    /// <summary>How long completed entries are kept.</summary>
    /// <value>Default: 24 hours. Zero to 36,500 days.</value>
    public TimeSpan Completed { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long failed entries are kept.</summary>
    /// <value>Default: 7 days. Zero to 36,500 days.</value>
    public TimeSpan Failed { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long cancelled entries are kept.</summary>
    /// <value>Default: 7 days. Zero to 36,500 days.</value>
    public TimeSpan Cancelled { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long an entry may be due without being claimed, for example because its queue is paused or no node has a worker for its
    /// kind. Then it is cancelled with the reason <see cref="EndReasons.Expired"/>. Keep it far above the longest expected backlog, because
    /// it applies whatever the cause of the wait.</summary>
    /// <value>Default: <see langword="null"/>: no limit. 1 minute to 36,500 days.</value>
    public TimeSpan? Due { get; set; }

    /// <summary>The interval at which a node removes entries that are no longer kept. From 20 nodes on, each node does so more rarely, and
    /// all of them together more often.</summary>
    /// <value>Default: 30 seconds. 100 milliseconds to 1 day.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);
}
