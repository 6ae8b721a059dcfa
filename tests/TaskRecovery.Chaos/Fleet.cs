using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>The worker processes: some number of them is kept alive, whatever is done to them.</summary>
internal sealed class Fleet(ChaosStore store, ChaosOptions options, Random random) : IAsyncDisposable
{
    private readonly List<Worker> _workers = [];
    private readonly List<HarmRecord> _harms = [];
    private readonly Queue<string> _faultPoints = new();
    private int _started;

    /// <summary>Everything that was done so far.</summary>
    public IReadOnlyList<HarmRecord> Harms => _harms;

    public int Kills => _harms.Count(harm => HarmKinds.Kills(harm.Kind));

    public IReadOnlyList<Worker> Alive => [.. _workers.Where(worker => !worker.HasExited)];

    /// <summary>The processes that died without having been killed on purpose, with what they wrote last.</summary>
    public List<string> UnexpectedExits { get; } = [];

    public void Record(string kind, int processId, long at, long? until = null)
        => _harms.Add(new HarmRecord(kind, processId, at, until ?? at));

    /// <summary>A worker that nothing is being done to and that works; null if there is none. Harm to one that has not begun to work proves nothing.</summary>
    public Worker? PickIdle()
    {
        var candidates = _workers.Where(worker => worker is { HasExited: false, IsBusy: false } && worker.HasWorked).ToList();
        return candidates.Count == 0 ? null : candidates[random.Next(candidates.Count)];
    }

    public Worker Start(Func<HostSettings, HostSettings>? configure = null)
    {
        var network = store.CreateNetwork();
        var settings = store.CreateSettings(network) with
        {
            NodeName = $"worker-{++_started}",
            Concurrency = 15,
            JobEvery = TimeSpan.FromSeconds(2),
            ShutdownTimeout = TimeSpan.FromMilliseconds(500),
            Without = options.Without,
        };
        settings = configure?.Invoke(settings) ?? settings;
        var worker = new Worker(ChildProcess.StartDotnet(typeof(HostSettings).Assembly.Location, [settings.ToArgument()]), settings, network);
        _workers.Add(worker);
        return worker;
    }

    /// <summary>Starts what is missing; every third new worker carries a fault point, every seventh a wrong clock.</summary>
    public void Replenish()
    {
        foreach (var worker in _workers.Where(worker => worker.HasExited).ToList())
        {
            NoteExit(worker);
            _workers.Remove(worker);
            _ = worker.DisposeAsync().AsTask();
        }

        while (_workers.Count < options.Workers)
        {
            var dice = random.Next(21);
            if (dice % 3 == 0)
            {
                var point = NextFaultPoint();
                Start(settings => settings with { DieAt = point, DieAfter = point is "sweep.middle" or "shutdown.middle" ? 0 : random.Next(60) });
            }
            else if (dice % 7 == 0)
            {
                var error = TimeSpan.FromHours(random.Next(-48, 48) + 0.5);
                var worker = Start(settings => settings with { ClockError = error });
                Record(HarmKinds.ClockError, worker.Id, Stopwatch.GetTimestamp());
            }
            else
            {
                Record(HarmKinds.Start, Start().Id, Stopwatch.GetTimestamp());
            }
        }
    }

    /// <summary>Ends every worker, for good.</summary>
    public async Task StopAllAsync()
    {
        foreach (var worker in _workers)
        {
            NoteExit(worker);
            worker.IsEnded = true;
            Record(HarmKinds.End, worker.Id, Stopwatch.GetTimestamp());
            await worker.DisposeAsync();
        }

        _workers.Clear();
    }

    public async ValueTask DisposeAsync() => await StopAllAsync();

    /// <summary>All fault points come in turn, so that rare ones occur often enough.</summary>
    private string NextFaultPoint()
    {
        if (_faultPoints.Count == 0)
        {
            foreach (var point in HarmKinds.FaultPoints.OrderBy(_ => random.Next()))
            {
                _faultPoints.Enqueue(point);
            }
        }

        return _faultPoints.Dequeue();
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
            Record(HarmKinds.FaultPrefix + death.Detail, worker.Id, death.At);
        }
        else if (!worker.IsEnded)
        {
            UnexpectedExits.Add($"process {worker.Id} ended by itself:\n{worker.Process.Output}");
        }
    }
}
