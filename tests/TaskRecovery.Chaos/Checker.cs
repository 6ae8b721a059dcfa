using System.Diagnostics;
using System.Globalization;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;

namespace TaskRecovery.Chaos;

/// <summary>Reads the journals and the store after everything has drained, and says which promises were broken.</summary>
internal sealed class Checker(ChaosStore store, IQueueStore queue, Producer producer, Fleet fleet, ChaosOptions options, LostWindows lost)
{
    private const int MostExtra = 15;

    // Pools keep as many connections as the handlers once needed at a time, and each holds some files.
    private const int MostExtraHandles = 64;
    private static readonly TimeSpan MostAfterWaking = TimeSpan.FromSeconds(2);

    // A process can be stopped between its last check of the lease and the handler's first line.
    private static readonly TimeSpan MostFromWakingToBegin = TimeSpan.FromMilliseconds(50);

    // A busy machine may take its time between the reading of the clock and the first line of the handler.
    private static readonly TimeSpan MostAfterExpiry = TimeSpan.FromSeconds(3);

    private readonly List<string> _violations = [];

    /// <summary>Reads everything, and judges.</summary>
    /// <param name="expected">The kinds of harm that the run is made of.</param>
    /// <param name="drained">Whether everything has ended.</param>
    /// <param name="vitals">What the operating system says of those who lived through it, and of new ones.</param>
    /// <param name="others">Promises that others found broken.</param>
    public async Task<Findings> CheckAsync(
        IEnumerable<string> expected, bool drained, IReadOnlyList<Vitals> vitals, IReadOnlyList<string> others)
    {
        _violations.AddRange(others);
        var journal = store.ReadJournal();
        foreach (var line in journal.Where(line => line.What == JournalEvents.Acknowledged))
        {
            producer.Acknowledged.Add(line.EntryId, line.Detail, line.At);
        }

        var acknowledged = producer.Acknowledged.ByEntry();
        var deaths = fleet.Harms.Where(harm => HarmKinds.Kills(harm.Kind) || harm.Kind == HarmKinds.End).GroupBy(harm => harm.Worker)
            .ToDictionary(harms => harms.Key, harms => harms.Min(harm => harm.At));
        var runs = Runs.Read(journal, deaths, Stopwatch.GetTimestamp());
        var figures = new Figures(fleet.Harms, runs, journal);

        Expect(drained, "not everything ended: entries still wait or run although nothing harms them any more");
        foreach (var exit in fleet.UnexpectedExits)
        {
            Expect(condition: false, exit);
        }

        foreach (var line in await queue.CheckInvariantsAsync(CancellationToken.None))
        {
            Expect(condition: false, $"the law: {line}");
        }

        var outcomes = await CheckOutcomesAsync(acknowledged);
        await CheckEffectsAsync(acknowledged);
        await CheckErasedAsync(acknowledged);
        await CheckUniqueKeysAsync();
        await CheckTasksAsync();
        CheckSteps(journal);
        var overlaps = CheckOverlaps(runs, await PolicyJobs.ReadExclusiveAsync(store));
        await CheckExpiryAsync(runs);
        var cutOffs = figures.CutOff();
        _violations.AddRange(cutOffs.TooLate.Select(line => $"cut off: {line}"));
        await CheckLeasesAsync(runs);
        CheckVitals(vitals);
        CheckOccurrences(expected);
        var afterPromotion = figures.AfterPromotion(acknowledged);
        return new Findings(
            _violations, outcomes, overlaps, cutOffs, figures.UntilRunningAgain(),
            vitals, runs.Count, lost, afterPromotion.Enqueued, afterPromotion.Began);
    }

    /// <summary>Everything that was acknowledged has exactly one final outcome, of a kind that it may have.</summary>
    private async Task<IReadOnlyDictionary<string, int>> CheckOutcomesAsync(IReadOnlyList<IReadOnlyList<Acknowledgement>> acknowledged)
    {
        var finals = (await store.QueryAsync($"select entry, kind, reason from {store.Prefix}outcomes where final order by entry"))
            .ToLookup(
                row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture),
                row => ((OutcomeKind)Convert.ToInt32(row[1], CultureInfo.InvariantCulture), (string?)row[2]));
        foreach (var all in acknowledged)
        {
            var (id, what, at) = all[0];
            var ends = finals[id].ToList();

            // A number is given again only if the failover lost that it had been given before.
            lost.Entries += all.Skip(1).Count(earlier => lost.Contains(earlier.At));
            Expect(!all.Skip(1).Any(
                earlier => !lost.Contains(earlier.At)), $"lost: entry {id} ({what}) has the number of one that was acknowledged before");
            if (lost.Contains(at) && !ends.Exists(end => MayEndAs(what, end.Item1, end.Item2)))
            {
                // It is gone, and its number may be that of a job's entry now.
                lost.Entries++;
                continue;
            }

            Expect(ends.Count > 0, $"lost: entry {id} ({what}) was acknowledged and has no final outcome");
            Expect(ends.Count < 2, $"settled twice: entry {id} ({what}) has {ends.Count} final outcomes");
            foreach (var (kind, reason) in ends)
            {
                Expect(MayEndAs(what, kind, reason), $"entry {id} ({what}) ended as {kind} ({reason})");
            }
        }

        return finals.SelectMany(ends => ends).GroupBy(end => end.Item2 is null ? $"{end.Item1}" : $"{end.Item1} ({end.Item2})")
            .ToDictionary(group => group.Key, group => group.Count());
    }

    private static bool MayEndAs(string what, OutcomeKind kind, string? reason)
        => (kind == OutcomeKind.Completed && what != Producer.OddForGood)
            || (kind == OutcomeKind.Failed && reason == EndReasons.AttemptsExhausted && what == Producer.OddForGood)
            || (kind == OutcomeKind.Cancelled && what == "cancelled")
            || (reason == EndReasons.Erased && what == Producer.ToErase)
            || (kind == OutcomeKind.Cancelled && reason == EndReasons.Expired && what == Producer.Expiring)
            || (kind == OutcomeKind.Failed && reason == EndReasons.CrashLoop);

    /// <summary>An effect in the transaction of its outcome is there exactly if the outcome is.</summary>
    private async Task CheckEffectsAsync(IReadOnlyList<IReadOnlyList<Acknowledgement>> acknowledged)
    {
        foreach (var row in await store.QueryAsync("select entry, count(*) from probe_effects group by entry having count(*) > 1"))
        {
            Expect(condition: false, $"effect made {row[1]} times for entry {row[0]}");
        }

        var effects = (await store.QueryAsync("select entry from probe_effects")).Select(
            row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        var completed = (await store.QueryAsync($"select entry from {store.Prefix}outcomes where final and kind = 0")).Select(
            row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var (id, what, _) in acknowledged.Select(all => all[0]).Where(one => one.What == "transaction" && !lost.Contains(one.At)))
        {
            Expect(
                effects.Contains(id) == completed.Contains(id),
                $"entry {id} ({what}): effect {(effects.Contains(id) ? "made" : "missing")}, "
                + $"outcome {(completed.Contains(id) ? "completed" : "not completed")}");
        }
    }

    /// <summary>Nothing that the application stored in an erased entry is left, and nothing was stored after it.</summary>
    private async Task CheckErasedAsync(IReadOnlyList<IReadOnlyList<Acknowledgement>> acknowledged)
    {
        var gone = acknowledged.Where(all => lost.Contains(all[0].At)).Select(all => all[0].EntryId).ToHashSet();
        var erased = producer.Erased.ByEntry().Select(all => all[0]).Where(one => !lost.Contains(one.At)
            && !gone.Contains(one.EntryId)).Select(one => one.EntryId).ToList();
        if (erased.Count == 0)
        {
            return;
        }

        var ids = string.Join(',', erased);
        var left = new[]
        {
            ("arguments or metadata", $"select id from {store.Prefix}entries where id in ({ids}) and (args <> '' or metadata is not null "
                + "or unique_key is not null or trace_parent is not null)"),
            ("a result, an error or another reason", $"select entry from {store.Prefix}outcomes where entry in ({ids}) "
                + "and (result is not null or error is not null or (final and coalesce(reason, '') <> 'erased'))"),
            ("a step", $"select entry from {store.Prefix}steps where entry in ({ids})"),
            ("a checkpoint", $"select entry from {store.Prefix}checkpoints where entry in ({ids})"),
            ("reported progress", $"select entry from {store.Prefix}reports where entry in ({ids})"),
            ("log lines", $"select entry from {store.Prefix}run_logs where entry in ({ids})"),
        };
        foreach (var (what, statement) in left)
        {
            foreach (var row in await store.QueryAsync(statement))
            {
                Expect(condition: false, $"erased entry {row[0]} has {what}");
            }
        }
    }

    /// <summary>Two entries with one key never lived at the same time.</summary>
    private async Task CheckUniqueKeysAsync()
    {
        var rows = await store.QueryAsync(
            $"select e.unique_key, e.id, e.created_at, o.ended_at from {store.Prefix}entries e "
            + $"join {store.Prefix}outcomes o on o.entry = e.id and o.final where e.unique_key is not null order by e.unique_key, e.id");
        foreach (var (earlier, later) in rows.Zip(rows.Skip(1)).Where(pair => Equals(pair.First[0], pair.Second[0])))
        {
            Expect(
                Comparer<object>.Default.Compare(earlier[3]!, later[2]!) <= 0,
                $"unique key {earlier[0]}: entry {later[1]} was stored at {later[2]} although entry {earlier[1]} ended only "
                + $"at {earlier[3]}");
        }
    }

    private async Task CheckTasksAsync()
    {
        foreach (var row in await store.QueryAsync($"select job_id, due_at, count(*) from {store.Prefix}tasks where due_at is not null "
            + "group by job_id, due_at having count(*) > 1"))
        {
            Expect(condition: false, $"job {row[0]} has {row[2]} tasks for {row[1]}");
        }

        var tasks = await store.QueryAsync($"select count(*) from {store.Prefix}tasks");
        Expect(Convert.ToInt64(tasks[0][0], CultureInfo.InvariantCulture) > 0, "the interval job never ran");
    }

    /// <summary>A step whose result was stored never began again.</summary>
    private void CheckSteps(IEnumerable<JournalLine> journal)
    {
        foreach (var step in journal.Where(line => line.What is JournalEvents.StepBegin or JournalEvents.StepStored).GroupBy(
            line => (line.EntryId, line.Detail)))
        {
            var stored = step.Where(line => line.What == JournalEvents.StepStored
                && !lost.Contains(line.At)).Select(line => (long?)line.At).Min();
            lost.Steps += step.Count(line => line.What == JournalEvents.StepStored && lost.Contains(line.At)
                && step.Any(other => other.What == JournalEvents.StepBegin && other.At > line.At));
            Expect(stored is null || !step.Any(line => line.What == JournalEvents.StepBegin
                && line.At > stored), $"step {step.Key.Detail} of entry {step.Key.EntryId} ran again after its result was stored");
        }
    }

    /// <summary>No two runs of an entry, or of a job that does not let its runs overlap, are active at once, but for what a stopped process
    /// does right after it wakes, and for handlers that go on although their token has been cancelled: those are counted apart. A stopped
    /// process may also begin one run as it wakes, because it was stopped between its check of the lease and the handler; if it begins
    /// two, it did not check.</summary>
    private Overlaps CheckOverlaps(IReadOnlyList<Run> runs, IReadOnlyDictionary<long, long> exclusive)
    {
        var stops = fleet.Harms.Where(harm => harm.Kind == HarmKinds.Stop).ToLookup(harm => harm.Worker);
        var (others, afterWaking, deaf, slow) = (0, new List<double>(), 0, new List<double>());
        var begunByWaking = new HashSet<HarmRecord>();
        foreach (var (a, b) in runs.GroupBy(run => ExclusiveKey(run, exclusive)).SelectMany(Pairs))
        {
            var overlap = Runs.Overlap(a, b, stops);
            if (overlap <= TimeSpan.Zero)
            {
                continue;
            }

            if (lost.MayOverlap(a, b))
            {
                lost.Overlaps++;
                continue;
            }

            var wasStopped = stops[a.Worker].Any(stop => stop.At <= b.Begin && a.End >= stop.Until);
            var wasTold = a.ToldAt <= b.Begin;
            if (a.IsUnresponsive && (wasStopped || wasTold))
            {
                deaf++;
            }
            else if (wasTold)
            {
                slow.Add(overlap.TotalSeconds);
            }
            else if (wasStopped || (WokeInto(b, a, stops) is { } stop && begunByWaking.Add(stop)))
            {
                // Once its token has told it, a handler may be slow to end, as others are.
                var slowToEnd = Stopwatch.GetElapsedTime(a.ToldAt, a.End);
                var untold = overlap > slowToEnd ? overlap - slowToEnd : TimeSpan.Zero;
                afterWaking.Add(untold.TotalSeconds);
                Expect(
                    untold < MostAfterWaking, $"entry {a.EntryId} went on for {untold.TotalSeconds:0.0} s after worker {a.Worker} woke");
            }
            else
            {
                others++;
                Expect(condition: false, $"overlap: entry {a.EntryId} ran in worker {a.Worker} (fence {a.Fence}) and entry {b.EntryId} "
                    + $"in {b.Worker} (fence {b.Fence}) at once for {overlap.TotalMilliseconds:0} ms; {Describe(a)}");
            }
        }

        return new Overlaps(others, afterWaking.Count, afterWaking.DefaultIfEmpty().Max(), deaf, slow.Count, slow.DefaultIfEmpty().Max());
    }

    // After a failover that lost commits, the id of a lost entry is given away again, to a run of a job for example.
    private static (bool IsOfJob, long Key) ExclusiveKey(Run run, IReadOnlyDictionary<long, long> exclusive)
        => (run.IsOfJob, run.IsOfJob ? exclusive.GetValueOrDefault(run.EntryId, run.EntryId) : run.EntryId);

    /// <summary>The stop in the middle of which a run under the older claim of an entry began, while the newer claim was running.</summary>
    private static HarmRecord? WokeInto(Run older, Run newer, ILookup<int, HarmRecord> stops)
        => older.EntryId == newer.EntryId && older.Fence < newer.Fence
            ? stops[older.Worker].FirstOrDefault(stop => stop.At < newer.Begin && stop.Until <= older.Begin
                && Stopwatch.GetElapsedTime(stop.Until, older.Begin) < MostFromWakingToBegin)
            : null;

    /// <summary>An entry does not start after its time, unless it was claimed before and its node died.</summary>
    private async Task CheckExpiryAsync(IReadOnlyList<Run> runs)
    {
        var stopped = fleet.Harms.Where(harm => harm.Kind == HarmKinds.Stop).Select(harm => harm.Worker).ToHashSet();
        var crashed = (await store.QueryAsync($"select entry from {store.Prefix}outcomes where kind = 6")).Select(
            row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var run in runs.DistinctBy(run => run.EntryId).Where(run => !stopped.Contains(run.Worker)
            && !crashed.Contains(run.EntryId)))
        {
            var late = producer.Expiries.TryGetValue(run.EntryId, out var expires)
                ? Stopwatch.GetElapsedTime(expires, Math.Max(expires, run.Begin))
                : TimeSpan.Zero;
            Expect(late < MostAfterExpiry, $"entry {run.EntryId} started {late.TotalSeconds:0.0} s after it had expired");
        }
    }

    /// <summary>On SQLite nothing that is done to the file costs a node its lease: only a process that was stopped loses one. A single
    /// claim is lost when its entry is erased while it runs: the next step is refused.</summary>
    private async Task CheckLeasesAsync(IReadOnlyList<Run> runs)
    {
        if (options.IsPostgres)
        {
            return;
        }

        var stopped = fleet.Harms.Where(harm => harm.Kind == HarmKinds.Stop).Select(harm => harm.Worker).ToHashSet();
        var erased = (await store.QueryAsync($"select entry from {store.Prefix}outcomes where reason = '{EndReasons.Erased}'"))
            .Select(row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var run in runs.Where(run => run.TokenReason == nameof(StopReason.ClaimLost) && !stopped.Contains(run.Worker)
            && !erased.Contains(run.EntryId)))
        {
            Expect(condition: false, $"lease: the handler of entry {run.EntryId} was cancelled in worker {run.Worker}, "
                + $"which was never stopped; {Describe(run)}");
        }
    }

    private static IEnumerable<(Run First, Run Second)> Pairs(IEnumerable<Run> runs)
    {
        // They are in the order in which they began.
        var ordered = runs.ToList();
        return ordered.SelectMany(
            (first, index) => ordered.Skip(index + 1).TakeWhile(second => second.Begin < first.End).Select(second => (first, second)));
    }

    private string Describe(Run run)
        => string.Join(", ", fleet.Harms.Where(harm => harm.Worker == run.Worker).Select(harm => harm.Kind).DefaultIfEmpty(
            "nothing was done to the first"));

    /// <summary>Those who lived through all of it hold no more than new ones do, within what caches may differ.</summary>
    private void CheckVitals(IReadOnlyList<Vitals> vitals)
    {
        var fresh = vitals.Where(one => !one.IsVeteran).ToList();
        foreach (var veteran in vitals.Where(one => one.IsVeteran))
        {
            Expect(veteran.Megabytes <= (2 * fresh.Max(one => one.Megabytes))
                + 64, $"{veteran.Name} holds {veteran.Megabytes} MB, new ones {fresh.Max(one => one.Megabytes)}");
            Expect(veteran.Handles <= fresh.Max(one => one.Handles)
                + MostExtraHandles, $"{veteran.Name} holds {veteran.Handles} open files, new ones {fresh.Max(one => one.Handles)}");
            Expect(veteran.Threads <= fresh.Max(one => one.Threads)
                + MostExtra, $"{veteran.Name} has {veteran.Threads} threads, new ones {fresh.Max(one => one.Threads)}");
            Expect(veteran.Connections <= fresh.Max(one => one.Connections)
                + MostExtra, $"{veteran.Name} has {veteran.Connections} connections, new ones {fresh.Max(one => one.Connections)}");
        }
    }

    private void CheckOccurrences(IEnumerable<string> expected)
    {
        foreach (var (kind, times) in fleet.FindRare(expected, options.MinimumEach))
        {
            Expect(condition: false, $"the run does not count: '{kind}' occurred {times} times, {options.MinimumEach} are needed");
        }
    }

    private void Expect(bool condition, string violation)
    {
        if (!condition)
        {
            _violations.Add(violation);
        }
    }
}
