using System.Diagnostics;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>How fast it went on after each kind of harm, out of the journals.</summary>
internal sealed class Figures
{
    private readonly IReadOnlyList<HarmRecord> _harms;
    private readonly ILookup<int, Run> _byWorker;
    private readonly ILookup<long, Run> _byEntry;
    private readonly HashSet<int> _withoutLocks;
    private readonly IReadOnlyDictionary<int, long> _starting;
    private readonly IReadOnlyDictionary<int, long> _started;

    public Figures(IReadOnlyList<HarmRecord> harms, IReadOnlyList<Run> runs, IReadOnlyList<JournalLine> journal)
    {
        _harms = harms;
        _withoutLocks = [.. harms.Where(harm => harm.Kind == HarmKinds.NoFileLocks).Select(harm => harm.Worker)];
        _byWorker = runs.ToLookup(run => run.Worker);
        _byEntry = runs.ToLookup(run => run.EntryId);
        _starting = Times(JournalEvents.Starting);
        _started = Times(JournalEvents.Started);

        Dictionary<int, long> Times(string what)
            => journal.Where(line => line.What == what).GroupBy(line => line.ProcessId).ToDictionary(
                lines => lines.Key, lines => lines.Min(line => line.At));
    }

    /// <summary>For each kind of harm that takes work away: the seconds until what it interrupted ran again. What happened in a storm is
    /// apart, and so are entries that had crashed before: suspects wait for their turn.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> UntilRunningAgain()
    {
        var found =
            from harm in _harms
            where HarmKinds.TakesWorkAway(harm.Kind)
            from run in _byWorker[harm.Worker]
            where run.Begin < harm.At && (run.Died || run.ToldAt > harm.At)
            let next = Next(run, harm)
            where next is not null
            from delay in Delays(harm, run, next)
            group delay.Seconds by delay.Name into delays
            orderby delays.Key
            select delays;
        return found.ToDictionary(delays => delays.Key, IReadOnlyList<double> (delays) => [.. delays], StringComparer.Ordinal);
    }

    /// <summary>What ran in nodes that were cut off, and how long before others ran it their tokens had been cancelled.</summary>
    public CutOffs CutOff()
    {
        var taken =
            (from harm in _harms
             where HarmKinds.CutsOff(harm.Kind)
             from run in _byWorker[harm.Worker]
             where run.Begin < harm.At && run.End > harm.At && !run.Died
             let next = Next(run, harm)
             where next is not null && next.Worker != run.Worker
             select (Harm: harm, Run: run, run.IsUnresponsive, Margin: (next.Begin - run.ToldAt)
                 / (double)Stopwatch.Frequency, Overlap: run.End > next.Begin)).ToList();
        var closest = taken.OrderBy(one => one.Margin).Select(one =>
            $"{one.Harm.Kind} of worker {one.Harm.Worker} in {one.Harm.Weather} at {Seconds(_harms[0].At, one.Harm.At):0.0} s, "
            + $"entry {one.Run.EntryId}, {(one.Run.ToldAt == one.Run.Token
                ? $"token ({one.Run.TokenReason})"
                : "ended by itself")} {Seconds(one.Harm.At, one.Run.ToldAt):0.00} s after it").FirstOrDefault();
        return new CutOffs(
            taken.Count,
            taken.Select(one => one.Margin).DefaultIfEmpty().Min(),
            closest,
            taken.Count(one => one.IsUnresponsive),
            taken.Count(one => one.IsUnresponsive && one.Overlap),
            [.. taken.Where(one => one.Margin < 0).Select(one
                => $"entry {one.Run.EntryId} in worker {one.Run.Worker}{(one.IsUnresponsive ? ", deaf," : "")} was "
                    + $"told {-one.Margin:0.000} s after another had begun it")]);
    }

    /// <summary>The seconds from each order to promote the standby until an enqueue after it returned, and until an entry enqueued after it
    /// began.</summary>
    public (IReadOnlyList<double> Enqueued, IReadOnlyList<double> Began) AfterPromotion(
        IReadOnlyList<IReadOnlyList<Acknowledgement>> acknowledged)
    {
        var newest = acknowledged.Select(all => all[0]).OrderBy(one => one.At).ToList();
        var (enqueued, began) = (new List<double>(), new List<double>());
        foreach (var promoted in _harms.Where(harm => HarmKinds.IsFailover(harm.Kind)).Select(harm => harm.Until))
        {
            var after = newest.Where(one => one.At > promoted).ToList();
            enqueued.AddRange(after.Take(1).Select(one => Seconds(promoted, one.At)));
            began.AddRange(
                after.SelectMany(one => _byEntry[one.EntryId]).Where(run => run.Begin > promoted).OrderBy(run => run.Begin).Take(1).Select(
                    run => Seconds(promoted, run.Begin)));
        }

        return (enqueued, began);
    }

    private static double Seconds(long from, long until) => Math.Max(0, (until - from) / (double)Stopwatch.Frequency);

    private Run? Next(Run run, HarmRecord harm)
        => _byEntry[run.EntryId].FirstOrDefault(other => other.Begin > harm.At && other.Fence > run.Fence);

    // Whoever is started again under its name is measured from its own start: how long the operating system and the runtime take is not
    // ours to say.
    private IEnumerable<(string Name, double Seconds)> Delays(HarmRecord harm, Run run, Run next)
    {
        if (harm.Successor == 0)
        {
            yield return (Name(HarmKinds.IsFault(harm.Kind)
                ? "kill at a fault point"
                : harm.Kind, harm, run), Seconds(harm.At, next.Begin));
            yield break;
        }

        yield return (Name($"{harm.Kind}, from StartAsync", harm, run), Seconds(
            _starting.GetValueOrDefault(harm.Successor, harm.At), next.Begin));
        yield return (Name($"{harm.Kind}, after StartAsync", harm, run), Seconds(
            _started.GetValueOrDefault(harm.Successor, harm.At), next.Begin));
    }

    private string Name(string kind, HarmRecord harm, Run run)
    {
        var crashedBefore = _byEntry[run.EntryId].Any(earlier => earlier.Died && earlier.Begin < run.Begin);
        return kind + (crashedBefore ? ", a suspect" : "")
            + (_withoutLocks.Contains(run.Worker) ? ", file locking off" : "") + harm.Weather switch
            {
                Weather.Storm => ", in a storm",
                Weather.Failover => ", among failovers",
                Weather.File => ", beside other users of the file",
                _ => "",
            };
    }
}

/// <summary>What ran in nodes that were cut off from the server for longer than their lease.</summary>
/// <param name="Taken">How many runs others took over.</param>
/// <param name="SmallestMargin">The shortest time, in seconds, between a token that fired (or a handler that had ended) and the moment
/// another began the same entry.</param>
/// <param name="Closest">Which one that was.</param>
/// <param name="Deaf">How many of them ignored their token.</param>
/// <param name="UnresponsiveOverlaps">How many of those still ran when another began.</param>
/// <param name="TooLate">Those whose token was cancelled only when another had begun: must be none.</param>
internal sealed record CutOffs(
    int Taken, double SmallestMargin, string? Closest, int Deaf, int UnresponsiveOverlaps, IReadOnlyList<string> TooLate);
