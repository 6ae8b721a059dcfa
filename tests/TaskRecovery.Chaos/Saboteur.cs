using System.Diagnostics;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>Does harm, at random, as the weather has it.</summary>
internal sealed class Saboteur(ChaosStore store, Fleet fleet, ChaosOptions options, Random random)
{
    private static readonly TimeSpan PastTheLease = TimeSpan.FromSeconds(18);
    private readonly ServerHarm _server = new(store, fleet);
    private readonly FailoverHarm? _failover = store.Replicas is { } replicas
        ? new FailoverHarm(replicas, fleet, new Random(random.Next()))
        : null;
    private readonly FileHarm? _file = options.IsPostgres ? null : new FileHarm(store, fleet, options, new Random(random.Next()));
    private readonly List<Task> _underWay = [];
    private readonly Queue<string> _deck = new();

    /// <summary>How many harms that take a while go on.</summary>
    public int UnderWay => _underWay.Count(task => !task.IsCompleted);

    /// <summary>What was found wrong with copies of the file.</summary>
    public IReadOnlyList<string> BadCopies => _file?.BadCopies ?? [];

    /// <summary>Deals a new deck.</summary>
    public void Enter(Weather weather)
    {
        fleet.Weather = weather.Name;
        _deck.Clear();
        Shuffle(weather);
    }

    /// <summary>Does one thing; what takes longer goes on beside the next.</summary>
    public async Task StrikeAsync(Weather weather)
    {
        _underWay.RemoveAll(task => task.IsCompletedSuccessfully);
        if (_deck.Count == 0)
        {
            Shuffle(weather);
        }

        if (UnderWay < weather.MostAtOnce)
        {
            await DoAsync(_deck.Dequeue());
        }
    }

    /// <summary>How long until the next one.</summary>
    public TimeSpan NextPause(Weather weather) => weather.MeanPause * Math.Min(3, -Math.Log(1 - random.NextDouble()));

    /// <summary>Waits until everything that takes longer is over.</summary>
    public Task FinishAsync() => Task.WhenAll(_underWay);

    /// <summary>Every kind comes as often as the weather has it, in any order.</summary>
    private void Shuffle(Weather weather)
    {
        foreach (var kind in weather.Kinds.SelectMany(kind => Enumerable.Repeat(kind.Kind, kind.Times)).OrderBy(_ => random.Next()))
        {
            _deck.Enqueue(kind);
        }
    }

    private async Task DoAsync(string kind)
    {
        if ((_failover?.Find(kind) ?? _file?.Find(kind) ?? _server.Find(kind)) is { } harm)
        {
            _underWay.Add(harm());
            return;
        }

        if (fleet.PickIdle(kind) is not { } worker)
        {
            return;
        }

        var now = Stopwatch.GetTimestamp();
        worker.IsBusy = true;
        switch (kind)
        {
            case HarmKinds.Kill:
                await KillAsync(worker);
                fleet.Record(kind, worker, now);
                break;
            case HarmKinds.RestartSameName:
                await KillAsync(worker);
                fleet.Record(kind, worker, now, successor: fleet.Start(settings => settings with { NodeName = worker.Settings.NodeName }));
                break;
            case HarmKinds.Graceful:
                worker.IsEnded = worker.Settings.DieAt != FaultPoints.ShutdownMiddle;
                worker.Process.Send(Signal.Terminate);
                fleet.Record(kind, worker, now);
                break;
            case HarmKinds.Stop:
                _underWay.Add(StopAsync(worker, now));
                break;
            case HarmKinds.KillNodeBackends:
                await _server.KillBackendsOfAsync(worker);
                fleet.Record(kind, worker, now);
                worker.IsBusy = false;
                break;
            case HarmKinds.NetworkReset:
                worker.Network!.ResetAll();
                fleet.Record(kind, worker, now);
                worker.IsBusy = false;
                break;
            case HarmKinds.NetworkStall:
                _underWay.Add(BreakNetworkAsync(worker, kind, ProxyFault.Cut, TimeSpan.FromMilliseconds(random.Next(200, 2000)), now));
                break;
            case HarmKinds.NetworkCut:
                _underWay.Add(BreakNetworkAsync(worker, kind, ProxyFault.Cut, PastTheLease, now));
                break;
            case HarmKinds.NetworkCutToServer:
                _underWay.Add(BreakNetworkAsync(worker, kind, ProxyFault.StallToServer, PastTheLease, now));
                break;
            case HarmKinds.NetworkCutToClient:
                _underWay.Add(BreakNetworkAsync(worker, kind, ProxyFault.StallToClient, PastTheLease, now));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such harm.");
        }
    }

    private static Task KillAsync(Worker worker)
    {
        worker.IsEnded = true;
        return worker.Process.KillAsync();
    }

    private async Task StopAsync(Worker worker, long at)
    {
        try
        {
            worker.Process.Send(Signal.Stop);
            await Task.Delay(PastTheLease);
            fleet.Record(HarmKinds.Stop, worker, at, Stopwatch.GetTimestamp());
            worker.Process.Send(Signal.Continue);
            worker.IsBusy = false;
        }
        catch (InvalidOperationException)
        {
            // It died at a fault point at the moment at which it was to be stopped, and has been replaced.
        }
    }

    private async Task BreakNetworkAsync(Worker worker, string kind, ProxyFault fault, TimeSpan duration, long at)
    {
        worker.Network!.Break(fault);
        await Task.Delay(duration);
        worker.Network.Heal();
        fleet.Record(kind, worker, at, Stopwatch.GetTimestamp());
        worker.IsBusy = false;
    }
}
