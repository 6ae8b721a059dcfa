using System.Globalization;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>Jobs with each policy, which run while harm is done, and the check of what their definitions promise.</summary>
internal sealed class PolicyJobs(IJobService jobs)
{
    private const string Prefix = "policy-";
    private const string EveryDue = Prefix + "every-due";
    private const string NoneMissed = Prefix + "none-missed";
    private const string Expires = Prefix + "expires";
    private const string Ends = Prefix + "ends";

    // The next run is due before this one has ended.
    private const int LongMs = 1300;
    private const int ShortMs = 50;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMilliseconds(300);
    private static readonly OverlapPolicy[] Exclusive = [OverlapPolicy.Skip, OverlapPolicy.QueueOne, OverlapPolicy.CancelPrevious];

    private DateTimeOffset _end;

    /// <summary>Creates the jobs, before any harm is done.</summary>
    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        foreach (var overlap in Exclusive)
        {
            await CreateAsync($"{Prefix}{overlap}", LongMs, job => job with { Overlap = overlap });
        }

        var all = MissedRunPolicy.RunAll;
        await CreateAsync(EveryDue, ShortMs, job => job with { MissedRuns = all, Overlap = OverlapPolicy.Allow, CatchUpLimit = 10_000 });
        await CreateAsync(NoneMissed, ShortMs, job => job with { MissedRuns = MissedRunPolicy.Skip });
        await CreateAsync(Expires, ShortMs, job => job with { ExpiresAfter = StartsWithin });
        _end = DateTimeOffset.UtcNow + (20 * Every);
        await CreateAsync(Ends, ShortMs, job => job with { EndAt = _end, MissedRuns = all });

        Task CreateAsync(string name, int holdMs, Func<JobDefinition, JobDefinition> configure)
            => jobs.CreateOrUpdateAsync(configure(new JobDefinition(name, Schedule.Every(Every))), new JobProbe(holdMs), cancellationToken);
    }

    /// <summary>Finds runs that break the definition of their job.</summary>
    public async Task<IReadOnlyList<string>> FindBrokenAsync(ChaosStore store)
    {
        var runs = await ReadAsync(store);
        var broken = new List<string>();
        foreach (var run in runs.Where(run => run.DueAt is not null))
        {
            var late = run.CreatedAt - run.DueAt!.Value;
            if ((run.Job == NoneMissed && late > Every) || (run.Job == Expires && late > StartsWithin && !run.IsCatchUp))
            {
                broken.Add($"job {run.Job}: the run that was due at {run.DueAt:O} started at {run.CreatedAt:O}");
            }
            else if (run.Job == Ends && run.DueAt > _end)
            {
                broken.Add($"job {run.Job}: a run was due at {run.DueAt:O}, after the end of the job at {_end:O}");
            }
        }

        // The planned entry of a node that dies again and again ends without a run.
        var without = await store.QueryAsync(
            $"select count(*) from {store.Prefix}outcomes o where o.final and o.reason = 'crash_loop' and not exists (select 1 "
            + $"from {store.Prefix}tasks t where t.entry_id = o.entry)");
        var dues = runs.Where(run => run.Job == EveryDue).Select(run => run.DueAt!.Value).ToList();
        var missing = dues.Zip(dues.Skip(1)).Where(pair => pair.Second - pair.First != Every).ToList();
        if (dues.Count == 0 || missing.Count > Convert.ToInt64(without[0][0], CultureInfo.InvariantCulture))
        {
            broken.Add($"job {EveryDue}: {dues.Count} runs; due times are missing "
                + $"between {string.Join(", ", missing.Select(pair => $"{pair.First:O} and {pair.Second:O}"))}");
        }

        return broken;
    }

    /// <summary>Which entries belong to a job whose runs may not overlap. Those of one job have the same value.</summary>
    public static async Task<IReadOnlyDictionary<long, long>> ReadExclusiveAsync(ChaosStore store)
    {
        var names = Exclusive.Select(overlap => $"{Prefix}{overlap}").ToHashSet(StringComparer.Ordinal);
        return (await ReadAsync(store)).Where(run => names.Contains(run.Job)
            && run.Entry is not null).GroupBy(run => run.Job, StringComparer.Ordinal)
            .SelectMany(job => job.Select(run => (Entry: run.Entry!.Value, First: job.Min(other => other.Entry!.Value))))
            .ToDictionary(run => run.Entry, run => run.First);
    }

    private static async Task<List<JobRun>> ReadAsync(ChaosStore store)
    {
        var rows = await store.QueryAsync(
            $"select j.name, t.entry_id, t.due_at, t.created_at, t.catch_up from {store.Prefix}tasks t "
            + $"join {store.Prefix}jobs j on j.id = t.job_id where j.name like '{Prefix}%' order by t.due_at");
        return [.. rows.Select(row => new JobRun(
            (string)row[0]!,
            row[1] is null ? null : Convert.ToInt64(row[1], CultureInfo.InvariantCulture),
            row[2] is null ? null : Time(row[2]!),
            Time(row[3]!),
            row[4] is not null && Convert.ToBoolean(row[4], CultureInfo.InvariantCulture)))];
    }

    // SQLite has microseconds.
    private static DateTimeOffset Time(object value)
        => value is DateTime time
            ? new DateTimeOffset(time.ToUniversalTime())
            : DateTimeOffset.UnixEpoch.AddMicroseconds(Convert.ToInt64(value, CultureInfo.InvariantCulture));

    private sealed record JobRun(string Job, long? Entry, DateTimeOffset? DueAt, DateTimeOffset CreatedAt, bool IsCatchUp);
}
