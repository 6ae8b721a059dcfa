using System.Diagnostics;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>The arguments of every benchmark's entries.</summary>
/// <param name="Number">Which one it is.</param>
/// <param name="Milliseconds">How long it takes; below zero for as long as its process lives.</param>
/// <param name="Text">What makes it as large as wanted.</param>
[JobKind("benchmark")]
internal sealed record BenchmarkArgs(long Number, int Milliseconds, string Text)
{
    /// <summary>The JSON of it without the text.</summary>
    private const int Envelope = 48;

    // Making the text is nobody's work but the benchmark's.
    private static string _text = "";

    public static BenchmarkArgs Create(long number, int milliseconds, int bytes)
    {
        var (text, length) = (_text, Math.Max(0, bytes - Envelope));
        return new(number, milliseconds, text.Length == length ? text : _text = new string('x', length));
    }
}

/// <summary>What a child's workers count and record.</summary>
internal sealed class WorkLog(bool record, int steps = 0, bool checkpoints = false)
{
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(90);

    private long _count;
    private long _warmUps;

    /// <summary>The names of the steps that each entry runs.</summary>
    public string[] Steps { get; } = [.. Enumerable.Range(1, steps).Select(number => $"step {number}")];

    /// <summary>Whether each entry stores as many checkpoints instead.</summary>
    public bool StoresCheckpoints => checkpoints;

    public long Count => Interlocked.Read(ref _count);

    /// <summary>How many had a number below zero: those of warm-ups, whoever stored them.</summary>
    public long WarmUps => Interlocked.Read(ref _warmUps);

    /// <summary>Waits until so many entries of warm-ups have started.</summary>
    public async Task WaitForWarmUpsAsync(long count)
    {
        for (var since = Stopwatch.GetTimestamp(); WarmUps < count; await Task.Delay(20))
        {
            if (Stopwatch.GetElapsedTime(since) > LongestWarmUp)
            {
                throw new TimeoutException($"Only {WarmUps} of {count} entries of the warm-up have started in {LongestWarmUp}.");
            }
        }
    }

    /// <summary>Called when an entry starts.</summary>
    public Action? OnStart { get; set; }

    public long[] Starts { get; } = record ? new long[1 << 18] : [];

    public void Started(long number)
    {
        Interlocked.Increment(ref number < 0 ? ref _warmUps : ref _count);
        OnStart?.Invoke();
        if (number >= 0 && number < Starts.Length)
        {
            Starts[number] = Stopwatch.GetTimestamp();
        }
    }
}

/// <summary>Does nothing, for as long as the entry says.</summary>
internal sealed class BenchmarkWorker(WorkLog log) : IJobWorker<BenchmarkArgs>
{
    public Task WorkAsync(WorkContext<BenchmarkArgs> context, CancellationToken cancellationToken)
    {
        var args = context.Args;
        log.Started(args.Number);
        return args.Milliseconds switch
        {
            0 when log.Steps.Length > 0 => RunStepsAsync(context, cancellationToken),
            0 => Task.CompletedTask,
            > 0 => Task.Delay(args.Milliseconds, cancellationToken),
            _ => Task.Delay(Timeout.Infinite, cancellationToken),
        };
    }

    private async Task RunStepsAsync(WorkContext<BenchmarkArgs> context, CancellationToken cancellationToken)
    {
        foreach (var step in log.Steps)
        {
            await (log.StoresCheckpoints
                ? context.SaveCheckpointAsync(12_345, cancellationToken)
                : context.StepAsync(step, static _ => Task.FromResult(12_345), cancellationToken));
        }
    }
}

/// <summary>The same as a job's handler.</summary>
internal sealed class BenchmarkTaskHandler(WorkLog log) : ITaskHandler<BenchmarkTaskArgs>
{
    public Task RunAsync(TaskContext<BenchmarkTaskArgs> context, CancellationToken cancellationToken)
    {
        log.Started(context.Args.Number);
        return Task.CompletedTask;
    }
}

/// <summary>The arguments of benchmark jobs.</summary>
[JobKind("benchmark-task")]
internal sealed record BenchmarkTaskArgs(long Number);
