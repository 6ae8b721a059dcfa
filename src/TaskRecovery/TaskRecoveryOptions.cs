using System.Text.Json;

namespace TaskRecovery;

/// <summary>The options of a node. They can be bound from configuration and are validated when the host starts.</summary>
public sealed class TaskRecoveryOptions
{
    /// <summary>The name of this instance. A restarted instance immediately takes over the work of the previous instance with the same
    /// name, so no two running processes may share a name.</summary>
    /// <value>Default: <see langword="null"/>: the machine and application name; work is taken over at once only if the recorded process no
    /// longer exists on this machine.</value>
    public string? NodeName { get; set; }

    /// <summary>What happens at host start if the store is not available.</summary>
    /// <value>Default: <see cref="StartupMode.WaitForStore"/>.</value>
    public StartupMode StartupMode { get; set; } = StartupMode.WaitForStore;

    /// <summary>How long running handlers may continue after the host begins to stop, before their tokens are cancelled. Keep it below the
    /// host's own shutdown timeout (30 seconds by default).</summary>
    /// <value>Default: 20 seconds. Zero cancels at once.</value>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The maximum size of an entry's arguments as JSON, in bytes.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB).</value>
    public int MaxArgsBytes { get; set; } = 1024 * 1024;

    /// <summary>The maximum size of a result, a step result or a checkpoint as JSON, in bytes.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB).</value>
    public int MaxResultBytes { get; set; } = 1024 * 1024;

    /// <summary>The JSON options for arguments, results, steps and checkpoints. For trimmed and native AOT builds, set options with a
    /// source-generated resolver.</summary>
    /// <value>Default: <see langword="null"/>: the web defaults of System.Text.Json, with reflection if it is enabled.</value>
    public JsonSerializerOptions? Json { get; set; }

    /// <summary>Redacts the text of an error before it is stored with its entry, because exception texts may contain sensitive data. Called
    /// after every failed attempt, concurrently from many threads. Logs and traces are not redacted.</summary>
    /// <value>Default: <see langword="null"/>: the exception with its stack trace is stored, truncated to 8,000 characters. If the delegate
    /// throws or returns null, only that fact is stored.</value>
    public Func<string, string>? RedactError { get; set; }

    /// <summary>Whether this process serves the <c>default</c> queue without a call of <c>AddQueue("default")</c>.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool ServeDefaultQueue { get; set; } = true;

    /// <summary>The queues that this process serves, by name. <c>AddQueue</c> adds to this dictionary.</summary>
    public IDictionary<string, QueueOptions> Queues { get; } = new Dictionary<string, QueueOptions>(StringComparer.Ordinal);

    /// <summary>Heartbeat and lease settings.</summary>
    public NodeOptions Node { get; } = new();

    /// <summary>Settings for the recovery of dead nodes' work.</summary>
    public RecoveryOptions Recovery { get; } = new();

    /// <summary>Settings for how long ended entries are kept.</summary>
    public RetentionOptions Retention { get; } = new();
}

/// <summary>What happens at host start if the store is not available.</summary>
public enum StartupMode
{
    /// <summary>The host starts. No entry is claimed until the store is available, and the health check reports the failure
    /// meanwhile.</summary>
    WaitForStore = 0,

    /// <summary>Starting the host fails.</summary>
    FailFast = 1,
}

/// <summary>The options of one queue in this process.</summary>
public sealed class QueueOptions
{
    /// <summary>The number of entries that this process runs concurrently.</summary>
    /// <value>Default: 20. 1 to 10,000.</value>
    public int Concurrency { get; set; } = 20;

    /// <summary>The number of entries claimed in advance, so that executors do not wait for the store. Other nodes can't run these entries
    /// until this node has run or released them, or has died.</summary>
    /// <value>Default: <see langword="null"/>, which means as many as this process finishes in 100 ms, but at most 2,000. 0 to
    /// 10,000.</value>
    public int? Prefetch { get; set; }
}

/// <summary>Heartbeat and lease settings of a node.</summary>
public sealed class NodeOptions
{
    /// <summary>How long a node may go without a heartbeat before other nodes take over its work, if nothing else proves that it is
    /// dead.</summary>
    /// <value>Default: 15 seconds. 5 seconds to 10 minutes, and at least 3 seconds longer than two heartbeat intervals, because a node
    /// cancels its own handlers before its lease expires.</value>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a node may go without a heartbeat before other nodes take over its work, if its session lock was held before and
    /// is now free.</summary>
    /// <value>Default: 2.75 seconds. At least half a second longer than two heartbeat intervals, and shorter than the lease.</value>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMilliseconds(2750);

    /// <summary>The interval between heartbeats.</summary>
    /// <value>Default: 1 second. 100 milliseconds to 1 minute.</value>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>Settings for the recovery of dead nodes' work.</summary>
public sealed class RecoveryOptions
{
    /// <summary>The number of node crashes that an entry may survive. One more crash, with no other suspect entry running beside it, ends
    /// the entry as failed with the reason <c>crash_loop</c>.</summary>
    /// <value>Default: 3. 1 to 10.</value>
    public int MaxCrashes { get; set; } = 3;

    /// <summary>The maximum age of an unfinished task that recovery runs again. If an older task has no entry, it is closed with the reason
    /// <c>too_old</c>.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan MaxRecoveryAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The interval at which a node looks for the work of dead nodes even if it has seen no node die, and for claims whose
    /// response was lost.</summary>
    /// <value>Default: 5 seconds. 100 milliseconds to 1 hour.</value>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>Settings for how long ended entries are kept. Zero means that entries are removed as soon as nothing refers to them.</summary>
public sealed class RetentionOptions
{
    /// <summary>How long completed entries are kept.</summary>
    /// <value>Default: 24 hours.</value>
    public TimeSpan Completed { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long failed entries are kept.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan Failed { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long cancelled entries are kept.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan Cancelled { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long an entry may be due without being claimed, for example because its queue is paused or no node has a worker for its
    /// kind. Then it is cancelled with the reason <see cref="EndReasons.Expired"/>. Keep it far above the longest expected backlog, because
    /// it applies whatever the cause of the wait.</summary>
    /// <value>Default: <see langword="null"/>: no limit. 1 minute to 100 years.</value>
    public TimeSpan? Waiting { get; set; }

    /// <summary>The interval at which a node removes entries that are no longer kept.</summary>
    /// <value>Default: 30 seconds. 100 milliseconds to 1 day.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>The options of a worker or task handler.</summary>
public sealed class WorkerOptions
{
    /// <summary>The maximum number of attempts of an entry that does not set <see cref="EnqueueOptions.MaxAttempts"/> or
    /// <see cref="JobDefinition.MaxAttempts"/>.</summary>
    /// <value>Default: 10. 1 to 1,000.</value>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>The time limit of one attempt of an entry that does not set <see cref="EnqueueOptions.Timeout"/> or
    /// <see cref="JobDefinition.Timeout"/>.</summary>
    /// <value>Default: <see langword="null"/> (no limit). At most 45 days.</value>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The delay before the first retry. It doubles with each further failure, with a random jitter of up to 20 % in either
    /// direction.</summary>
    /// <value>Default: 1 second.</value>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The maximum delay between attempts.</summary>
    /// <value>Default: 1 hour.</value>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromHours(1);
}
