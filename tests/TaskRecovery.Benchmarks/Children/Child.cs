using System.Diagnostics;
using System.Runtime;
using System.Text.Json;
using System.Threading.Channels;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>The child's side: says "ready", and answers the lines that the parent writes.</summary>
internal abstract class Child
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private double _cpu;
    private long _allocated;
    private long _started;

    protected static Stopwatch Clock { get; } = Stopwatch.StartNew();

    public static async Task<int> RunAsync(ChildSpec spec)
    {
        await using var child = (IAsyncDisposable)Create(spec);
        await ((Child)child).AnswerAsync();
        return 0;
    }

    /// <summary>Everything before the clock runs.</summary>
    protected abstract Task PrepareAsync();

    /// <summary>Begins, after "go".</summary>
    protected abstract Task GoAsync();

    /// <summary>How many are done so far.</summary>
    protected abstract long Count { get; }

    /// <summary>What was recorded.</summary>
    protected virtual long[][] Times => [];

    /// <summary>What is timed, where it is not all of it.</summary>
    protected virtual double? TimedSeconds => null;

    private static Child Create(ChildSpec spec) => spec.Role switch
    {
        "work" => new WorkChild(spec),
        "enqueue" => new EnqueueChild(spec),
        "fleet" => new FleetChild(spec),
        "simulation" => new SimulationChild(spec),
        "drain-floor" => new DrainFloorChild(spec),
        "circulate" => new CirculateChild(spec),
        "refill" => new RefillChild(spec),
        "enqueue-floor" => new EnqueueFloorChild(spec),
        "commit-floor" => new CommitFloorChild(spec),
        "pickup-floor" => new PickupFloorChild(spec),
        _ => throw new ArgumentException($"There is no child '{spec.Role}'.", nameof(spec)),
    };

    private async Task AnswerAsync()
    {
        ParentProcess.ExitWhenItIsGone(line => _lines.Writer.TryWrite(line));
        await PrepareAsync();
        Say("ready");
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            switch (line)
            {
                case "go":
                    (_cpu, _allocated, _started) = (Cpu(), GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
                    Say("gone");
                    _ = GoAndSayAsync();
                    break;
                case "count":
                    Say($"count {Count}");
                    break;
                case "stats":
                    Say("stats " + JsonSerializer.Serialize(Stats()));
                    break;
                case "end":
                    return;
            }
        }
    }

    private async Task GoAndSayAsync()
    {
        try
        {
            await GoAsync();
            Say("finished " + JsonSerializer.Serialize(Stats()));
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync(exception.ToString());
            Environment.Exit(1);
        }
    }

    private ChildStats Stats()
        => new(
            Count,
            TimedSeconds ?? Stopwatch.GetElapsedTime(_started).TotalSeconds,
            Cpu() - _cpu,
            GC.GetTotalAllocatedBytes(precise: true) - _allocated)
        {
            Times = Times,
            CompiledMethods = JitInfo.GetCompiledMethodCount(),
            CompileMilliseconds = JitInfo.GetCompilationTime().TotalMilliseconds,
            ProcessCpuMilliseconds = Cpu(),
        };

    private static double Cpu()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime.TotalMilliseconds;
    }

    private static void Say(string line)
    {
        lock (Clock)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
