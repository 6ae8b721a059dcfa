using System.Diagnostics;

namespace TaskRecovery.Benchmarks.Rows;

/// <summary>Percentiles of times that two processes took on the machine's one monotonic clock.</summary>
internal static class Latency
{
    public static double Milliseconds(long from, long to) => (to - from) * 1000.0 / Stopwatch.Frequency;

    public static double Percentile(double[] sorted, double share)
        => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    public static double Median(IEnumerable<double> times) => Percentile([.. times.Order()], 0.5);

    /// <summary>Enqueue returned to handler started, for comparison with others from the call, and the call alone.</summary>
    public static Figure[] Figures(long[] called, long[] returned, long[] started, int count)
    {
        var numbers = Enumerable.Range(0, Math.Min(count, started.Length)).Where(number => started[number] != 0
            && returned[number] != 0).ToArray();
        var sinceReturn = numbers.Select(number => Math.Max(0, Milliseconds(returned[number], started[number]))).Order().ToArray();
        var sinceCall = numbers.Select(number => Milliseconds(called[number], started[number])).Order().ToArray();
        var calls = numbers.Select(number => Milliseconds(called[number], returned[number])).Order().ToArray();
        return
        [
            new("p50", Percentile(sinceReturn, 0.5), "ms"),
            new("p99", Percentile(sinceReturn, 0.99), "ms"),
            new("max", Percentile(sinceReturn, 1), "ms"),
            new("from the call p50", Percentile(sinceCall, 0.5), "ms"),
            new("from the call p99", Percentile(sinceCall, 0.99), "ms"),
            new("commit p99", Percentile(calls, 0.99), "ms"),
        ];
    }
}
