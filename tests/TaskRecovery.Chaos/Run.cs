using System.Diagnostics;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>One attempt at one entry, as the journals tell it.</summary>
/// <param name="EntryId">The entry.</param>
/// <param name="Fence">The claim.</param>
/// <param name="Worker">The number of the worker.</param>
/// <param name="Begin">When the handler began.</param>
/// <param name="End">When it ended, or its process died.</param>
/// <param name="Died">Whether its process died under it.</param>
/// <param name="Token">When its token was cancelled, if it did.</param>
/// <param name="TokenReason">Why it fired.</param>
/// <param name="IsUnresponsive">Whether the handler ignores its token.</param>
/// <param name="IsOfJob">Whether it was a run of a job.</param>
internal sealed record Run(
    long EntryId, long Fence, int Worker, long Begin, long End,
    bool Died, long? Token, string? TokenReason, bool IsUnresponsive, bool IsOfJob)
{
    /// <summary>When the handler had been told, or had ended by itself.</summary>
    public long ToldAt => Math.Min(Token ?? long.MaxValue, End);
}

/// <summary>Reads runs out of journals.</summary>
internal static class Runs
{
    /// <param name="journal">All lines, in the order of time, with the worker's number for its process.</param>
    /// <param name="deaths">When each worker died that was killed.</param>
    /// <param name="now">The end of runs that nobody ended.</param>
    public static IReadOnlyList<Run> Read(IEnumerable<JournalLine> journal, IReadOnlyDictionary<int, long> deaths, long now)
        => [.. journal
            .Where(line => line.EntryId != 0 && line.What is JournalEvents.Begin or JournalEvents.End or JournalEvents.Token)
            .GroupBy(line => (line.EntryId, line.Fence, line.ProcessId))
            .Select(lines => Read(lines.Key, [.. lines], deaths, now))
            .OfType<Run>()
            .OrderBy(run => run.Begin)];

    /// <summary>How long two runs were both active: stopped processes do nothing while they are stopped.</summary>
    public static TimeSpan Overlap(Run first, Run second, ILookup<int, HarmRecord> stops)
    {
        var from = Math.Max(first.Begin, second.Begin);
        var until = Math.Min(first.End, second.End);
        if (until <= from)
        {
            return TimeSpan.Zero;
        }

        var standstill = stops[first.Worker].Concat(stops[second.Worker])
            .Sum(stop => Math.Max(0, Math.Min(until, stop.Until) - Math.Max(from, stop.At)));
        return Stopwatch.GetElapsedTime(0, Math.Max(0, until - from - standstill));
    }

    private static Run? Read(
        (long EntryId, long Fence, int Worker) key, List<JournalLine> lines, IReadOnlyDictionary<int, long> deaths, long now)
    {
        if (lines.Find(line => line.What == JournalEvents.Begin) is not { } begin)
        {
            return null;
        }

        var end = lines.Find(line => line.What == JournalEvents.End)?.At;
        var death = deaths.TryGetValue(key.Worker, out var at) ? at : (long?)null;
        var token = lines.Find(line => line.What == JournalEvents.Token);
        return new Run(key.EntryId, key.Fence, key.Worker, begin.At, end ?? death
            ?? now, end is null && death is not null, token?.At, token?.Detail, begin.Detail == JournalEvents.Deaf, IsTask(begin.Detail));
    }

    // The handler of a job writes the task's id and its due time.
    private static bool IsTask(string detail) => Guid.TryParse(detail.Split(' ')[0], out _);
}
