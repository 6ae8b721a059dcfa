using System.Text.Json;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>What a child process does: works, produces, or does the same without the engine.</summary>
internal sealed record ChildSpec
{
    /// <summary>One of the names in <see cref="Child"/>.</summary>
    public required string Role { get; init; }

    public required string Store { get; init; }

    public required string ConnectionString { get; init; }

    /// <summary>The queues it works.</summary>
    public QueueSpec[] Queues { get; init; } = [];

    /// <summary>The queue a producer or a floor is about.</summary>
    public string Queue { get; init; } = BenchmarkQueues.Measured;

    /// <summary>How many callers or claimers at once.</summary>
    public int Parallel { get; init; } = 1;

    /// <summary>How many entries a call carries.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>How many entries in all; 0 for as long as <see cref="Seconds"/> says.</summary>
    public int Count { get; init; }

    public double Seconds { get; init; }

    /// <summary>Entries a second; 0 for as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>Whether the times between the entries of a count are random, and a rate is their mean.</summary>
    public bool IsRandom { get; init; }

    /// <summary>The number of the first entry that is produced.</summary>
    public long FirstNumber { get; init; }

    /// <summary>The size of the arguments.</summary>
    public int ArgsBytes { get; init; } = 100;

    public int Priority { get; init; } = 5;

    /// <summary>How long entries take: each of these in turn.</summary>
    public int[] Milliseconds { get; init; } = [0];

    /// <summary>How many steps each entry runs.</summary>
    public int Steps { get; init; }

    /// <summary>Whether each entry stores checkpoints instead of steps.</summary>
    public bool Checkpoints { get; init; }

    /// <summary>Whether a producer uses a transaction of its own.</summary>
    public bool InTransaction { get; init; }

    /// <summary>Whether each entry of a producer has a unique key.</summary>
    public bool HasKeys { get; init; }

    /// <summary>Whether a floor goes through the store's own code instead of the bare driver.</summary>
    public bool ThroughStore { get; init; }

    /// <summary>Whether a floor writes what the starts of runs write too.</summary>
    public bool StartsTasks { get; init; }

    /// <summary>How long history is kept, in seconds.</summary>
    public double KeepSeconds { get; init; }

    /// <summary>How long nothing is done in each wave of a second warm-up, for what is done once a second; 0 for none.</summary>
    public double IdleSeconds { get; init; }

    /// <summary>Whether a worker stores no statistics.</summary>
    public bool WithoutStatistics { get; init; }

    /// <summary>Whether starts and calls are recorded with their times.</summary>
    public bool Record { get; init; }

    public static ChildSpec Parse(string json)
        => JsonSerializer.Deserialize<ChildSpec>(json) ?? throw new ArgumentException("There is no such child.", nameof(json));

    public override string ToString() => JsonSerializer.Serialize(this);
}

/// <summary>A queue that a child works; without numbers with the defaults.</summary>
internal sealed record QueueSpec(string Name, int? Concurrency = null, int? Prefetch = null);

/// <summary>The queues that benchmarks use.</summary>
internal static class BenchmarkQueues
{
    public const string Measured = "measured";
    public const string WarmUp = "warm-up";

    /// <summary>The measured queue of a process, where each has one of its own.</summary>
    public static string MeasuredBy(int process) => process == 0 ? Measured : $"{Measured}-{process}";

    /// <summary>What a floor drains in a wave of its warm-up.</summary>
    public static string FloorWarmUp(int wave) => $"floor-{WarmUp}-{wave}";
}

/// <summary>What a child says of the time between go and stop.</summary>
internal sealed record ChildStats(long Count, double Seconds, double CpuMilliseconds, long AllocatedBytes)
{
    /// <summary>Times by entry number, on the machine's monotonic clock, in ticks of the stopwatch; for a producer the call and its
    /// return.</summary>
    public long[][] Times { get; init; } = [];

    /// <summary>How many methods the runtime has compiled since the process started.</summary>
    public long CompiledMethods { get; init; }

    /// <summary>How long it compiled, on all threads together.</summary>
    public double CompileMilliseconds { get; init; }

    /// <summary>The processor time since the process started.</summary>
    public double ProcessCpuMilliseconds { get; init; }
}
