using System.Text.Json;
using TaskRecovery.Testing.Runs;
using TaskRecovery.Rules;

namespace TaskRecovery.Testing;

/// <summary>The entry that a test runs, and what happens to the run.</summary>
public record WorkerTestOptions
{
    /// <summary>The id of the entry.</summary>
    /// <value>Default: 1.</value>
    public long EntryId { get; init; } = 1;

    /// <summary>The fence (claim id) of the first run. Each further run of the same entry has a greater one.</summary>
    /// <value>Default: 1.</value>
    public long Fence { get; init; } = 1;

    /// <summary>The kind of the entry.</summary>
    /// <value>Default: <see langword="null"/>: the kind in the <see cref="JobKindAttribute"/> of the arguments type, or the type's name if
    /// it has none.</value>
    public string? Kind { get; init; }

    /// <summary>The queue of the entry.</summary>
    /// <value>Default: <c>default</c>.</value>
    public string Queue { get; init; } = "default";

    /// <summary>The number of the attempt, starting at 1.</summary>
    /// <value>Default: 1.</value>
    public int Attempt { get; init; } = 1;

    /// <summary>The maximum number of attempts.</summary>
    /// <value>Default: 10, as in <see cref="WorkerOptions.MaxAttempts"/>.</value>
    public int MaxAttempts { get; init; } = EntryLimits.DefaultMaxAttempts;

    /// <summary>How many node crashes have interrupted the entry before this run.</summary>
    /// <value>Default: 0.</value>
    public int Crashes { get; init; }

    /// <summary>The results of the steps that earlier runs have finished, by step name. They are written as JSON and read by the
    /// worker.</summary>
    /// <value>Default: empty.</value>
    public IReadOnlyDictionary<string, object?> Steps { get; init; } = new Dictionary<string, object?>(StringComparer.Ordinal);

    /// <summary>The checkpoint that an earlier run has stored. It is written as JSON and read by the worker.</summary>
    /// <value>Default: <see langword="null"/>: there is none.</value>
    public object? Checkpoint { get; init; }

    /// <summary>The metadata of the entry.</summary>
    /// <value>Default: empty.</value>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The time at which the entry was stored.</summary>
    /// <value>Default: <see langword="null"/>: now, by <see cref="Time"/>.</value>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The time limit of the attempt, measured by <see cref="Time"/>.</summary>
    /// <value>Default: <see langword="null"/>: no limit.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The clock of the run.</summary>
    /// <value>Default: <see cref="TimeProvider.System"/>.</value>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The services from which the run's scope is created.</summary>
    /// <value>Default: <see langword="null"/>: <see cref="WorkContext.Services"/> has none.</value>
    public IServiceProvider? Services { get; init; }

    /// <summary>The middleware that runs around the handler; the first is the outermost.</summary>
    /// <value>Default: none.</value>
    public IReadOnlyList<IWorkMiddleware> Middleware { get; init; } = [];

    /// <summary>The JSON options of the application (see <see cref="TaskRecoveryOptions.Json"/>).</summary>
    /// <value>Default: <see langword="null"/>: the library's defaults.</value>
    public JsonSerializerOptions? Json { get; init; }

    /// <summary>The maximum size of a result, a step result or a checkpoint (see
    /// <see cref="TaskRecoveryOptions.MaxResultBytes"/>).</summary>
    /// <value>Default: 1,048,576 bytes (1 MiB).</value>
    public int MaxResultBytes { get; init; } = 1024 * 1024;

    /// <summary>The delays between attempts, used by <see cref="TestRun.Delay"/>. The other options of a worker are properties of this
    /// class.</summary>
    /// <value>Default: those of <see cref="WorkerOptions"/>.</value>
    public WorkerOptions Retry { get; init; } = new();

    /// <summary>What becomes of the worker's own transaction, if it calls <see cref="WorkContext.CompleteAsync"/>.</summary>
    /// <value>Default: <see cref="TransactionResult.Commits"/>.</value>
    public TransactionResult Transaction { get; init; }

    /// <summary>How the entry ends in <c>CrashEverywhereAsync</c>, without a crash and after each. Not used for a single run.</summary>
    /// <value>Default: <see cref="RunEnd.Completed"/>. <see cref="RunEnd.Failed"/> or <see cref="RunEnd.Cancelled"/> if the worker ends
    /// the entry so on purpose.</value>
    public RunEnd ExpectedEnd { get; init; } = RunEnd.Completed;

    /// <summary>The requests to stop the run.</summary>
    internal IReadOnlyList<PlannedStop> Stops { get; init; } = [];
}
