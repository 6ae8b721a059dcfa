using System.Text.Json;

namespace TaskRecovery;

/// <summary>How a node works. Bindable from configuration; validated when the host starts.</summary>
public sealed class TaskRecoveryOptions
{
    /// <summary>The name of this instance. A restarted instance takes over its namesake's work at once, so a name is a promise that it names one process.</summary>
    /// <value>Default: <see langword="null"/>: machine and application name, taken over only if the recorded process of this machine is gone.</value>
    public string? NodeName { get; set; }

    /// <summary>What the host's start does when the store is not there.</summary>
    /// <value>Default: <see cref="StartupMode.WaitForStore"/>.</value>
    public StartupMode StartupMode { get; set; } = StartupMode.WaitForStore;

    /// <summary>How long running work may go on after the host was told to stop. Keep it below the host's own limit (30 s by default).</summary>
    /// <value>Default: 20 seconds. Zero cancels at once.</value>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How large the JSON of an entry's arguments may be.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB).</value>
    public int MaxArgsBytes { get; set; } = 1024 * 1024;

    /// <summary>How large the JSON of a result, of a step's result or of a checkpoint may be.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB).</value>
    public int MaxResultBytes { get; set; } = 1024 * 1024;

    /// <summary>How arguments and results are written and read. Set one with a source-generated resolver for trimmed and native builds.</summary>
    /// <value>Default: <see langword="null"/>: the web defaults of System.Text.Json, with reflection where it is enabled.</value>
    public JsonSerializerOptions? Json { get; set; }

    /// <summary>Changes the text of each error before it is stored with its entry: exceptions may quote what must not be in the database. Called at the end of every failed attempt,
    /// on many threads. It does not change logs and traces.</summary>
    /// <value>Default: <see langword="null"/>: the exception with its stack trace, cut after 8,000 characters. If it throws or returns null, only that is stored.</value>
    public Func<string, string>? RedactError { get; set; }

    /// <summary>Whether this process works the <c>default</c> queue without being told to by <c>AddQueue("default")</c>.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool ServeDefaultQueue { get; set; } = true;

    /// <summary>The queues this process works, by name; <c>AddQueue</c> adds to it.</summary>
    public IDictionary<string, QueueOptions> Queues { get; } = new Dictionary<string, QueueOptions>(StringComparer.Ordinal);

    /// <summary>Beats and leases.</summary>
    public NodeOptions Node { get; } = new();

    /// <summary>What happens to work whose node died.</summary>
    public RecoveryOptions Recovery { get; } = new();

    /// <summary>How long ended entries are kept.</summary>
    public RetentionOptions Retention { get; } = new();
}

/// <summary>What the host's start does when the store is not there.</summary>
public enum StartupMode
{
    /// <summary>The host starts; claims wait until the store is there, and the health check says so.</summary>
    WaitForStore = 0,

    /// <summary>The host's start fails.</summary>
    FailFast = 1,
}

/// <summary>How one queue is worked by this process.</summary>
public sealed class QueueOptions
{
    /// <summary>How many entries run at the same time.</summary>
    /// <value>Default: 20. 1 to 10,000.</value>
    public int Concurrency { get; set; } = 20;

    /// <summary>How many more entries may be claimed ahead, so that executors need not wait for the store. They are this node's until it runs or dies.</summary>
    /// <value>Default: <see langword="null"/>, which means as many as this process finishes in 100 ms, at most 2,000. 0 to 10,000.</value>
    public int? Prefetch { get; set; }
}

/// <summary>Beats and leases.</summary>
public sealed class NodeOptions
{
    /// <summary>How long a node may be silent before others take its work, if nothing else proves that it is dead.</summary>
    /// <value>Default: 15 seconds. 5 seconds to 10 minutes, and at least 3 seconds more than two heartbeats: so long before its end a node stops working itself.</value>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a node may be silent before others take its work, when its session lock was seen held and is now free.</summary>
    /// <value>Default: 2.75 seconds. At least half a second more than two heartbeats, below the lease.</value>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMilliseconds(2750);

    /// <summary>How often a node says that it is alive.</summary>
    /// <value>Default: 1 second. 100 milliseconds to 1 minute.</value>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>What happens to work whose node died.</summary>
public sealed class RecoveryOptions
{
    /// <summary>How many times a node may die under an entry. One crash more, with no other suspect beside it, ends it as failed with reason <c>crash_loop</c>.</summary>
    /// <value>Default: 3. 1 to 10.</value>
    public int MaxCrashes { get; set; } = 3;

    /// <summary>Unfinished tasks older than this are closed as <c>too_old</c> when they are found without an entry, instead of run after years.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan MaxRecoveryAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often a node looks for work of dead nodes when no death was noticed, and for claims whose answer was lost.</summary>
    /// <value>Default: 5 seconds. 100 milliseconds to 1 hour.</value>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>How long ended entries are kept. Zero means not kept; they go as soon as nothing refers to them.</summary>
public sealed class RetentionOptions
{
    /// <summary>Completed ones.</summary>
    /// <value>Default: 24 hours.</value>
    public TimeSpan Completed { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Failed ones.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan Failed { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Cancelled ones.</summary>
    /// <value>Default: 7 days.</value>
    public TimeSpan Cancelled { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long an entry may have been due without being claimed, because its queue is paused or no node knows its kind; then it ends as cancelled with the reason
    /// <see cref="EndReasons.Expired"/>. Keep it far above the longest backlog: it does not ask why an entry waits.</summary>
    /// <value>Default: <see langword="null"/>: for ever. 1 minute to 100 years.</value>
    public TimeSpan? Waiting { get; set; }

    /// <summary>How often a node removes what is no longer kept.</summary>
    /// <value>Default: 30 seconds. 100 milliseconds to 1 day.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>How the entries of one kind are worked.</summary>
public sealed class WorkerOptions
{
    /// <summary>How often an entry is tried when it was not enqueued with a number of its own, 1 to 1,000.</summary>
    /// <value>Default: 10.</value>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>How long one attempt may run when the entry was not enqueued with a limit of its own.</summary>
    /// <value>Default: <see langword="null"/> (no limit). At most 45 days.</value>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The wait after the first failure; it doubles with each further one, with up to 20 % of jitter either way.</summary>
    /// <value>Default: 1 second.</value>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between attempts.</summary>
    /// <value>Default: 1 hour.</value>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromHours(1);
}
