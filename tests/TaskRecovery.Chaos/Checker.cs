using System.Diagnostics;
using System.Globalization;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;

namespace TaskRecovery.Chaos;

/// <summary>Reads the journals and the store after everything has drained, and says which promises were broken.</summary>
internal sealed class Checker(ChaosStore store, IQueueStore queue, Producer producer, Fleet fleet, ChaosOptions options)
{
    private readonly List<string> _violations = [];

    public async Task<Findings> CheckAsync(Saboteur saboteur, bool drained)
    {
        var journal = Journal.ReadAll(store.JournalFolder);
        var deaths = fleet.Harms.Where(harm => HarmKinds.Kills(harm.Kind) || harm.Kind == HarmKinds.End).GroupBy(harm => harm.ProcessId).ToDictionary(harms => harms.Key, harms => harms.Min(harm => harm.At));
        var runs = Runs.Read(journal, deaths, Stopwatch.GetTimestamp());

        Expect(drained, "not everything ended: entries still wait or run although nothing harms them any more");
        foreach (var exit in fleet.UnexpectedExits)
        {
            Expect(condition: false, exit);
        }

        foreach (var line in await queue.CheckLawAsync(CancellationToken.None))
        {
            Expect(condition: false, $"the law: {line}");
        }

        var outcomes = await CheckOutcomesAsync();
        await CheckEffectsAsync();
        await CheckUniqueKeysAsync();
        await CheckTasksAsync();
        CheckSteps(journal);
        var overlaps = CheckOverlaps(runs);
        CheckOccurrences(saboteur);
        return new Findings(_violations, outcomes, overlaps, Delays(runs), runs.Count);
    }

    /// <summary>Everything that was acknowledged has exactly one final outcome, of a kind that it may have.</summary>
    private async Task<IReadOnlyDictionary<string, int>> CheckOutcomesAsync()
    {
        var finals = (await store.QueryAsync($"select entry, kind, reason from {store.Prefix}outcomes where final order by entry"))
            .ToLookup(row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture), row => ((OutcomeKind)Convert.ToInt32(row[1], CultureInfo.InvariantCulture), (string?)row[2]));
        foreach (var (id, what) in producer.Acknowledged)
        {
            var ends = finals[id].ToList();
            Expect(ends.Count > 0, $"lost: entry {id} ({what}) was acknowledged and has no final outcome");
            Expect(ends.Count < 2, $"settled twice: entry {id} ({what}) has {ends.Count} final outcomes");
            foreach (var (kind, reason) in ends)
            {
                var mayBe = kind == OutcomeKind.Completed
                    || (kind == OutcomeKind.Cancelled && what == "cancelled")
                    || (kind == OutcomeKind.Failed && reason == EndReasons.CrashLoop);
                Expect(mayBe, $"entry {id} ({what}) ended as {kind} ({reason})");
            }
        }

        return finals.SelectMany(ends => ends).GroupBy(end => end.Item2 is null ? $"{end.Item1}" : $"{end.Item1} ({end.Item2})").ToDictionary(group => group.Key, group => group.Count());
    }

    /// <summary>An effect in the transaction of its outcome is there exactly if the outcome is.</summary>
    private async Task CheckEffectsAsync()
    {
        foreach (var row in await store.QueryAsync("select entry, count(*) from probe_effects group by entry having count(*) > 1"))
        {
            Expect(condition: false, $"effect made {row[1]} times for entry {row[0]}");
        }

        var effects = (await store.QueryAsync("select entry from probe_effects")).Select(row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        var completed = (await store.QueryAsync($"select entry from {store.Prefix}outcomes where final and kind = 0")).Select(row => Convert.ToInt64(row[0], CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var (id, what) in producer.Acknowledged.Where(pair => pair.Value == "transaction"))
        {
            Expect(effects.Contains(id) == completed.Contains(id), $"entry {id} ({what}): effect {(effects.Contains(id) ? "made" : "missing")}, outcome {(completed.Contains(id) ? "completed" : "not completed")}");
        }
    }

    /// <summary>Two entries with one key never lived at the same time.</summary>
    private async Task CheckUniqueKeysAsync()
    {
        var rows = await store.QueryAsync(
            $"select e.unique_key, e.id, e.created_at, o.ended_at from {store.Prefix}entries e join {store.Prefix}outcomes o on o.entry = e.id and o.final where e.unique_key is not null order by e.unique_key, e.id");
        foreach (var (earlier, later) in rows.Zip(rows.Skip(1)).Where(pair => Equals(pair.First[0], pair.Second[0])))
        {
            Expect(
                Comparer<object>.Default.Compare(earlier[3]!, later[2]!) <= 0,
                $"unique key {earlier[0]}: entry {later[1]} was stored at {later[2]:O} although entry {earlier[1]} ended only at {earlier[3]:O}");
        }
    }

    private async Task CheckTasksAsync()
    {
        foreach (var row in await store.QueryAsync($"select job_id, due_at, count(*) from {store.Prefix}tasks where due_at is not null group by job_id, due_at having count(*) > 1"))
        {
            Expect(condition: false, $"job {row[0]} has {row[2]} tasks for {row[1]}");
        }

        var tasks = await store.QueryAsync($"select count(*) from {store.Prefix}tasks");
        Expect(Convert.ToInt64(tasks[0][0], CultureInfo.InvariantCulture) > 0, "the interval job never ran");
    }

    /// <summary>A step whose result was stored never began again.</summary>
    private void CheckSteps(IEnumerable<JournalLine> journal)
    {
        foreach (var step in journal.Where(line => line.What is JournalEvents.StepBegin or JournalEvents.StepStored).GroupBy(line => (line.EntryId, line.Detail)))
        {
            var stored = step.Where(line => line.What == JournalEvents.StepStored).Select(line => (long?)line.At).Min();
            Expect(stored is null || !step.Any(line => line.What == JournalEvents.StepBegin && line.At > stored), $"step {step.Key.Detail} of entry {step.Key.EntryId} ran again after its result was stored");
        }
    }

    /// <summary>No two runs of an entry are active at once, but for what a stopped process does right after it wakes.</summary>
    private Overlaps CheckOverlaps(IReadOnlyList<Run> runs)
    {
        var stops = fleet.Harms.Where(harm => harm.Kind == HarmKinds.Stop).ToLookup(harm => harm.ProcessId);
        var others = new List<double>();
        var afterWaking = new List<double>();
        foreach (var ofEntry in runs.GroupBy(run => run.EntryId))
        {
            var ordered = ofEntry.ToList();
            for (var first = 0; first < ordered.Count; first++)
            {
                for (var second = first + 1; second < ordered.Count; second++)
                {
                    var (a, b) = (ordered[first], ordered[second]);
                    var overlap = Runs.Overlap(a, b, stops);
                    if (overlap <= TimeSpan.Zero)
                    {
                        continue;
                    }

                    var wasStopped = stops[a.ProcessId].Any(stop => stop.At <= b.Begin && a.End >= stop.Until);
                    (wasStopped ? afterWaking : others).Add(overlap.TotalSeconds);
                    Expect(wasStopped, $"overlap: entry {a.EntryId} ran in process {a.ProcessId} (fence {a.Fence}) and {b.ProcessId} (fence {b.Fence}) at once for {overlap.TotalMilliseconds:0} ms; {Describe(a)}");
                    Expect(!wasStopped || overlap < TimeSpan.FromSeconds(2), $"entry {a.EntryId} went on for {overlap.TotalSeconds:0.0} s after process {a.ProcessId} woke");
                }
            }
        }

        return new Overlaps(others.Count, afterWaking.Count, afterWaking.DefaultIfEmpty().Max());
    }

    private string Describe(Run run)
        => string.Join(", ", fleet.Harms.Where(harm => harm.ProcessId == run.ProcessId).Select(harm => harm.Kind).DefaultIfEmpty("nothing was done to the first"));

    /// <summary>For each kind of harm that takes a process away: how long until what it interrupted ran again.</summary>
    private IReadOnlyDictionary<string, IReadOnlyList<double>> Delays(IReadOnlyList<Run> runs)
    {
        var byProcess = runs.ToLookup(run => run.ProcessId);
        var byEntry = runs.ToLookup(run => run.EntryId);
        var delays = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal);
        foreach (var ofKind in fleet.Harms.Where(TakesWorkAway).GroupBy(harm => harm.Kind.StartsWith(HarmKinds.FaultPrefix, StringComparison.Ordinal) ? "fault points" : harm.Kind))
        {
            delays[ofKind.Key] =
            [
                .. from harm in ofKind
                   from run in byProcess[harm.ProcessId]
                   where run.Begin < harm.At && (run.Died || (run.Token ?? run.End) > harm.At)
                   let next = byEntry[run.EntryId].FirstOrDefault(other => other.Begin > harm.At && other.Fence > run.Fence)
                   where next is not null
                   select Stopwatch.GetElapsedTime(harm.At, next.Begin).TotalSeconds,
            ];
        }

        return delays;
    }

    private static bool TakesWorkAway(HarmRecord harm)
        => HarmKinds.Kills(harm.Kind) || harm.Kind is HarmKinds.Stop or HarmKinds.NetworkCut or HarmKinds.NetworkCutToServer or HarmKinds.NetworkCutToClient;

    private void CheckOccurrences(Saboteur saboteur)
    {
        var expected = saboteur.Kinds.Select(kind => kind.Kind).Append(HarmKinds.Start).Append(HarmKinds.ClockError).Concat(HarmKinds.FaultPoints.Select(point => HarmKinds.FaultPrefix + point));
        foreach (var kind in expected)
        {
            var count = fleet.Harms.Count(harm => harm.Kind == kind);
            Expect(count >= options.MinimumEach, $"the run does not count: '{kind}' occurred {count} times, {options.MinimumEach} are needed");
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

/// <summary>What the checker found.</summary>
/// <param name="Violations">Broken promises; empty if all were kept.</param>
/// <param name="Outcomes">How entries ended.</param>
/// <param name="Overlaps">Runs of one entry that were active at once.</param>
/// <param name="Delays">Seconds from harm to running again, by kind of harm.</param>
/// <param name="Runs">How many attempts there were in all.</param>
internal sealed record Findings(
    IReadOnlyList<string> Violations,
    IReadOnlyDictionary<string, int> Outcomes,
    Overlaps Overlaps,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Delays,
    int Runs);

/// <summary>Runs of one entry that were active at once.</summary>
/// <param name="Unexpected">After a kill, or in a node that keeps its deadline: must be none.</param>
/// <param name="AfterWaking">In a stopped process after it woke, until its token had stopped the handler.</param>
/// <param name="LongestAfterWaking">The longest of those, in seconds.</param>
internal sealed record Overlaps(int Unexpected, int AfterWaking, double LongestAfterWaking);
