using System.Text.Json;

namespace TaskRecovery.Chaos;

/// <summary>Prints what was done and found, as a table and as JSON.</summary>
internal static class Report
{
    private const int MostViolations = 40;

    public static void Print(ChaosOptions options, Fleet fleet, Producer producer, Findings findings, TimeSpan took)
    {
        Write("");
        Write($"store {options.Store}, seed {options.Seed}, {took.TotalMinutes:0.0} minutes, {fleet.Kills} kills");
        Write("");
        Write($"{"harm",-28} {"times",6}");
        foreach (var (kind, times) in fleet.Times)
        {
            Write($"{kind,-28} {times,6}");
        }

        Write("");
        Write($"{"until it runs again (s)",-58} {"count",6} {"p50",6} {"p99",6} {"max",6}");
        foreach (var (kind, delays) in findings.Delays)
        {
            WriteDelays(kind, delays);
        }

        Write("");
        Write($"entries acknowledged {producer.Acknowledged.Count}, unconfirmed {producer.Unconfirmed}, "
            + $"duplicates refused {producer.Duplicates}, attempts {findings.Runs}");
        var outcomes = findings.Outcomes.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Key} {pair.Value}");
        Write($"outcomes {string.Join(", ", outcomes)}");
        if (findings.Enqueued.Count > 0)
        {
            WriteDelays("from a promotion to the first enqueue that returned (s)", findings.Enqueued);
            WriteDelays("from a promotion until an entry enqueued after it began (s)", findings.Began);
        }

        if (findings.Lost is { Count: > 0 } lost)
        {
            Write($"failovers to a standby that lacked two seconds: {lost.Count}; lost with them: {lost.Entries} acknowledged "
                + $"entries, {lost.Steps} results of steps, {lost.Changes} changes of jobs; {lost.Overlaps} runs beside another one under "
                + "a claim that was lost");
        }

        Write($"overlapping runs {findings.Overlaps.Unexpected}; in processes that woke {findings.Overlaps.AfterWaking}, "
            + $"for {findings.Overlaps.LongestAfterWaking:0.000} s at most; in handlers that ignore their token {findings.Overlaps.Deaf}, "
            + $"that are slow to end {findings.Overlaps.Slow}, for {findings.Overlaps.LongestSlow:0.0} s at most");
        Write($"cut-off nodes: {findings.CutOffs.Taken} runs were taken over, {findings.CutOffs.SmallestMargin:0.00} s or more after their "
            + $"token had fired; {findings.CutOffs.Deaf} ignored it, {findings.CutOffs.UnresponsiveOverlaps} of them still ran");
        if (findings.CutOffs.Closest is { } closest)
        {
            Write($"the closest of them: {closest}");
        }

        foreach (var one in findings.Vitals)
        {
            Write($"{one.Name,-12} {(one.IsVeteran ? "lived through it" : "new"),-16} {one.Megabytes,5} MB {one.Handles,5} open "
                + $"files {one.Threads,4} threads {one.Connections,4} connections");
        }

        Write("");
        foreach (var violation in findings.Violations.Take(MostViolations))
        {
            Write($"BROKEN: {violation}");
        }

        Write($"{(findings.Violations.Count == 0 ? "every promise was kept" : $"{findings.Violations.Count} promises were broken")}");
    }

    public static async Task WriteJsonAsync(
        string path, ChaosOptions options, Fleet fleet, Producer producer, Findings findings, TimeSpan took)
    {
        var figures = new
        {
            store = options.Store,
            seed = options.Seed,
            minutes = Math.Round(took.TotalMinutes, 2),
            cores = Environment.ProcessorCount,
            kills = fleet.Kills,
            harms = fleet.Times.ToDictionary(),
            untilRunningAgain = findings.Delays.ToDictionary(
                pair => pair.Key,
                pair => new
                {
                    count = pair.Value.Count,
                    p50 = Percentile(pair.Value, 0.5),
                    p99 = Percentile(pair.Value, 0.99),
                    max = Percentile(pair.Value, 1),
                }),
            acknowledged = producer.Acknowledged.Count,
            attempts = findings.Runs,
            afterPromotion = new { enqueued = findings.Enqueued, began = findings.Began },
            lost = findings.Lost,
            outcomes = findings.Outcomes,
            overlaps = findings.Overlaps,
            cutOffs = findings.CutOffs,
            vitals = findings.Vitals,
            violations = findings.Violations,
        };
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, figures, JsonSerializerOptions.Web);
    }

    private static void WriteDelays(string what, IReadOnlyList<double> delays)
        => Write($"{what,-58} {delays.Count,6} {Percentile(delays, 0.5),6:0.00} {Percentile(delays, 0.99),6:0.00} "
            + $"{Percentile(delays, 1),6:0.00}");

    private static double Percentile(IReadOnlyList<double> values, double part)
    {
        if (values.Count == 0)
        {
            return 0;
        }

        var sorted = values.Order().ToList();
        return Math.Round(sorted[Math.Min(sorted.Count - 1, (int)(part * sorted.Count))], 3);
    }

    private static void Write(string line) => Console.WriteLine(line);
}
