using System.Text.Json;

namespace TaskRecovery;

/// <summary>The options of a node. They can be bound from configuration and are validated when the host starts.</summary>
public sealed class TaskRecoveryOptions
{
    /// <summary>The name of this instance. A restarted instance immediately takes over the work of the previous instance with the same
    /// name, so no two running processes may share a name.</summary>
    /// <value>Default: <see langword="null"/>: the machine and application name; work is taken over at once only if the recorded process no
    /// longer exists on this machine. 1 to 200 bytes of UTF-8, without control characters.</value>
    public string? NodeName { get; set; }

    /// <summary>What happens at host start if the store is not available.</summary>
    /// <value>Default: <see cref="StartupMode.WaitForStore"/>.</value>
    public StartupMode StartupMode { get; set; } = StartupMode.WaitForStore;

    /// <summary>How long running handlers may continue after the host begins to stop, before their tokens are cancelled. Keep it below the
    /// host's own shutdown timeout (30 seconds by default).</summary>
    /// <value>Default: 20 seconds. Zero, which cancels at once, to 1 day.</value>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The maximum size of an entry's arguments as JSON, in bytes.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB). 1 byte to 33,554,432 bytes (32 MiB).</value>
    public int MaxArgsBytes { get; set; } = 1024 * 1024;

    /// <summary>The maximum size of a result, a step result or a checkpoint as JSON, in bytes.</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB). 1 byte to 268,435,456 bytes (256 MiB).</value>
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

    /// <summary>What happens to a job that this application declared in its code and no longer declares.</summary>
    /// <value>Default: <see cref="OrphanedJobPolicy.Keep"/>.</value>
    public OrphanedJobPolicy OrphanedJobs { get; set; }

    /// <summary>The queues that this process serves, by name. <c>AddQueue</c> adds to this dictionary.</summary>
    public IDictionary<string, QueueOptions> Queues { get; } = new Dictionary<string, QueueOptions>(StringComparer.Ordinal);

    /// <summary>The queues that only configuration names, whose keys have no case. A call of <c>AddQueue</c> removes its queue.</summary>
    internal HashSet<string> ConfiguredQueues { get; } = new(StringComparer.Ordinal);

    /// <summary>Heartbeat and lease settings.</summary>
    public NodeOptions Node { get; } = new();

    /// <summary>Settings for the recovery of dead nodes' work.</summary>
    public RecoveryOptions Recovery { get; } = new();

    /// <summary>Settings for how long ended entries are kept.</summary>
    public RetentionOptions Retention { get; } = new();
}
