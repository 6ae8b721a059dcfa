using System.Collections.Immutable;
using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>The worker processes: some number of them is kept alive, whatever is done to them.</summary>
internal sealed class Fleet(ChaosStore store, ChaosOptions options, Random random) : IAsyncDisposable
{
    private const int Veterans = 2;

    private static readonly IReadOnlyDictionary<string, string> WithoutFileLocks =
        new Dictionary<string, string>(HostSettings.ShortLived, StringComparer.Ordinal) { ["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1" };

    // The live view reads it while another thread changes it.
    private ImmutableList<Worker> _workers = [];
    private readonly List<HarmRecord> _harms = [];

    /// <summary>Everything that was done so far.</summary>
    public IReadOnlyList<HarmRecord> Harms
    {
        get
        {
            lock (_harms)
            {
                return [.. _harms];
            }
        }
    }

    /// <summary>How often each kind was done, the most frequent first.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Times => [.. Harms.CountBy(harm => harm.Kind).OrderByDescending(kind => kind.Value)];

    /// <summary>What the weather is like now.</summary>
    public string Weather { get; set; } = "";

    public int Kills => Harms.Count(harm => HarmKinds.Kills(harm.Kind));

    public IReadOnlyList<Worker> Alive => [.. _workers.Where(worker => !worker.HasExited)];

    /// <summary>The processes that died without having been killed on purpose, with what they wrote last.</summary>
    public List<string> UnexpectedExits { get; } = [];

    public void Record(string kind, Worker? worker, long at, long? until = null, Worker? successor = null)
    {
        lock (_harms)
        {
            _harms.Add(new HarmRecord(kind, worker?.Number ?? 0, at, until ?? at, Weather, successor?.Number ?? 0));
        }
    }

    /// <summary>Those of the kinds that were done less often than this, each with how often.</summary>
    public IReadOnlyList<(string Kind, int Times)> FindRare(IEnumerable<string> kinds, int minimum)
    {
        var times = Times.ToDictionary(StringComparer.Ordinal);
        return [.. kinds.Select(kind => (Kind: kind, Times: times.GetValueOrDefault(kind))).Where(kind => kind.Times < minimum)];
    }

    /// <summary>Starts those that live through everything.</summary>
    public void StartVeterans()
    {
        for (var count = 0; count < Veterans; count++)
        {
            Start(isVeteran: true);
        }
    }

    /// <summary>A worker that nothing is being done to and that works; null if there is none. Harm to one that has not begun to work proves
    /// nothing.</summary>
    public Worker? PickIdle(string harm)
    {
        var mustDie = HarmKinds.Kills(harm) || harm == HarmKinds.Graceful;
        var watcher = Weather == Chaos.Weather.Network ? _workers.Find(worker => worker.IsVeteran) : null;
        var candidates = _workers.Where(worker => worker is { HasExited: false, IsBusy: false }
            && worker.HasWorked && !(mustDie && worker.IsVeteran) && worker != watcher).ToList();
        if (harm == HarmKinds.Graceful && candidates.Find(worker => worker.Settings.DieAt == FaultPoints.ShutdownMiddle) is { } waitsForIt)
        {
            return waitsForIt;
        }

        return candidates.Count == 0 ? null : candidates[random.Next(candidates.Count)];
    }

    public Worker Start(Func<HostSettings, HostSettings>? configure = null, bool isVeteran = false)
    {
        var network = store.CreateNetwork();
        var hasNoLocks = !options.IsPostgres && !isVeteran && random.Next(6) == 0;
        var settings = store.CreateSettings(network) with
        {
            Concurrency = 15,
            JobEvery = TimeSpan.FromSeconds(2),
            EnqueueEvery = isVeteran || options.Scenario == ChaosScenario.Restarts ? null : TimeSpan.FromSeconds(1),
            ShutdownTimeout = TimeSpan.FromMilliseconds(500),
            Without = options.Without,
        };
        settings = settings with { NodeName = $"worker-{Worker.NumberOf(settings)}" };
        settings = configure?.Invoke(settings) ?? settings;
        var worker = new Worker(ChildProcess.StartDotnet(typeof(HostSettings).Assembly.Location, [settings.ToArgument()], hasNoLocks
            ? WithoutFileLocks
            : HostSettings.ShortLived), settings, network, isVeteran);
        _workers = _workers.Add(worker);
        if (hasNoLocks)
        {
            Record(HarmKinds.NoFileLocks, worker, Stopwatch.GetTimestamp());
        }

        return worker;
    }

    /// <summary>Takes note of who has died, and starts what is missing: two of five new workers carry a fault point, and every eighth has a
    /// wrong clock.</summary>
    public void Replenish()
    {
        foreach (var worker in _workers.Where(worker => worker.HasExited).ToList())
        {
            NoteExit(worker);
            _workers = _workers.Remove(worker);
            _ = worker.DisposeAsync().AsTask();
        }

        while (_workers.Count(worker => !worker.IsVeteran) < options.Workers)
        {
            var dice = random.Next(40);
            if (options.Scenario is not (ChaosScenario.All or ChaosScenario.Failover))
            {
                Start();
            }
            else if (dice < 16)
            {
                var point = NextFaultPoint();
                Start(settings => settings with
                {
                    DieAt = point,
                    DieAfter = point is FaultPoints.SweepMiddle
                    or FaultPoints.ShutdownMiddle ? 0 : random.Next(30)
                });
            }
            else if (dice < 21)
            {
                var error = TimeSpan.FromHours(random.Next(-48, 48) + 0.5);
                Record(HarmKinds.ClockError, Start(settings => settings with { ClockError = error }), Stopwatch.GetTimestamp());
            }
            else
            {
                Record(HarmKinds.Start, Start(), Stopwatch.GetTimestamp());
            }
        }
    }

    /// <summary>Ends every worker but the veterans.</summary>
    public Task StopYoungAsync() => StopAsync(worker => !worker.IsVeteran);

    /// <summary>Ends every worker, for good.</summary>
    public Task StopAllAsync() => StopAsync(_ => true);

    public async ValueTask DisposeAsync() => await StopAllAsync();

    private async Task StopAsync(Predicate<Worker> which)
    {
        foreach (var worker in _workers.FindAll(which))
        {
            NoteExit(worker);
            worker.IsEnded = true;
            Record(HarmKinds.End, worker, Stopwatch.GetTimestamp());
            await worker.DisposeAsync();
            _workers = _workers.Remove(worker);
        }
    }

    /// <summary>The point at which the fewest have died, so that rare ones occur often enough.</summary>
    private string NextFaultPoint()
    {
        var deaths = Times.ToDictionary(StringComparer.Ordinal);
        return HarmKinds.FaultPoints.OrderBy(_ => random.Next()).MinBy(point => deaths.GetValueOrDefault(HarmKinds.FaultPrefix + point)
            + _workers.Count(worker => worker.Settings.DieAt == point))!;
    }

    /// <summary>A worker that died at its fault point said when in its journal.</summary>
    private void NoteExit(Worker worker)
    {
        if (!worker.HasExited)
        {
            return;
        }

        var death = Journal.Read(worker.Settings.JournalFile).LastOrDefault(line => line.What == JournalEvents.Dying);
        if (death is not null)
        {
            Record(HarmKinds.FaultPrefix + death.Detail, worker, death.At);
        }
        else if (!worker.IsEnded)
        {
            UnexpectedExits.Add($"{worker.Settings.NodeName} ended by itself:\n{worker.Process.Output}");
        }
    }
}
