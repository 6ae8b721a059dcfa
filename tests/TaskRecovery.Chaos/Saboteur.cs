using System.Diagnostics;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>Does harm, at random.</summary>
internal sealed class Saboteur(ChaosStore store, Fleet fleet, Random random)
{
    private static readonly TimeSpan PastTheLease = TimeSpan.FromSeconds(18);
    private readonly List<Task> _underWay = [];

    /// <summary>Every kind of harm that this store can suffer, with how often it is drawn.</summary>
    public IReadOnlyList<(string Kind, int Weight)> Kinds { get; } = store.Server is null
        ? [(HarmKinds.Kill, 60), (HarmKinds.RestartSameName, 12), (HarmKinds.Stop, 4), (HarmKinds.Graceful, 14)]
        :
        [
            (HarmKinds.Kill, 60), (HarmKinds.RestartSameName, 12), (HarmKinds.Stop, 3), (HarmKinds.Graceful, 10),

            // Every node's session breaks in these, and a new session has watched nobody yet: as often as it takes, and no more.
            (HarmKinds.ServerRestart, 2), (HarmKinds.KillBackends, 2), (HarmKinds.ConnectionLimit, 2),
            (HarmKinds.KillNodeBackends, 3), (HarmKinds.NetworkReset, 3), (HarmKinds.NetworkStall, 3), (HarmKinds.OldSnapshot, 2),
            (HarmKinds.NetworkCut, 2), (HarmKinds.NetworkCutToServer, 2), (HarmKinds.NetworkCutToClient, 2),
        ];

    /// <summary>Does one thing; what takes longer goes on beside the next.</summary>
    public async Task StrikeAsync()
    {
        _underWay.RemoveAll(task => task.IsCompletedSuccessfully);
        await DoAsync(Draw());
    }

    /// <summary>Waits until everything that takes longer is over.</summary>
    public Task FinishAsync() => Task.WhenAll(_underWay);

    private string Draw()
    {
        var dice = random.Next(Kinds.Sum(kind => kind.Weight));
        foreach (var (kind, weight) in Kinds)
        {
            if ((dice -= weight) < 0)
            {
                return kind;
            }
        }

        return HarmKinds.Kill;
    }

    private async Task DoAsync(string kind)
    {
        var now = Stopwatch.GetTimestamp();
        switch (kind)
        {
            case HarmKinds.ServerRestart:
                await store.Server!.RestartImmediateAsync();
                fleet.Record(kind, 0, now, Stopwatch.GetTimestamp());
                return;
            case HarmKinds.KillBackends:
                await TryOnServerAsync("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.3");
                fleet.Record(kind, 0, now);
                return;
            case HarmKinds.OldSnapshot:
                _underWay.Add(HoldSnapshotAsync(now));
                return;
            case HarmKinds.ConnectionLimit:
                _underWay.Add(FillConnectionsAsync(now));
                return;
        }

        if (fleet.PickIdle() is not { } worker)
        {
            return;
        }

        worker.IsBusy = true;
        switch (kind)
        {
            case HarmKinds.Kill:
                await KillAsync(worker, kind);
                break;
            case HarmKinds.RestartSameName:
                await KillAsync(worker, kind);
                fleet.Start(settings => settings with { NodeName = worker.Settings.NodeName });
                break;
            case HarmKinds.Graceful:
                worker.IsEnded = worker.Settings.DieAt != "shutdown.middle";
                worker.Process.Send(Signal.Terminate);
                fleet.Record(kind, worker.Id, now);
                break;
            case HarmKinds.Stop:
                _underWay.Add(StopAsync(worker, now));
                break;
            case HarmKinds.KillNodeBackends:
                await KillBackendsOfAsync(worker);
                fleet.Record(kind, worker.Id, now);
                worker.IsBusy = false;
                break;
            case HarmKinds.NetworkReset:
                worker.Network!.ResetAll();
                fleet.Record(kind, worker.Id, now);
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
        }
    }

    private async Task KillAsync(Worker worker, string kind)
    {
        if (worker.HasExited)
        {
            return;
        }

        var at = Stopwatch.GetTimestamp();
        worker.IsEnded = true;
        await worker.Process.KillAsync();
        fleet.Record(kind, worker.Id, at);
    }

    private async Task StopAsync(Worker worker, long at)
    {
        worker.Process.Send(Signal.Stop);
        await Task.Delay(PastTheLease);
        fleet.Record(HarmKinds.Stop, worker.Id, at, Stopwatch.GetTimestamp());
        worker.Process.Send(Signal.Continue);
        worker.IsBusy = false;
    }

    private async Task BreakNetworkAsync(Worker worker, string kind, ProxyFault fault, TimeSpan duration, long at)
    {
        worker.Network!.Break(fault);
        await Task.Delay(duration);
        worker.Network.Heal();
        fleet.Record(kind, worker.Id, at, Stopwatch.GetTimestamp());
        worker.IsBusy = false;
    }

    /// <summary>The connections of one node are those that come through its own network.</summary>
    private async Task KillBackendsOfAsync(Worker worker)
        => await TryOnServerAsync($"select pg_terminate_backend(pid) from pg_stat_activity where pid in (select backend from taskrecovery.nodes where process_id = {worker.Id}) or application_name like '%{worker.Id}%'");

    private async Task HoldSnapshotAsync(long at)
    {
        try
        {
            await using var connection = await store.ConnectAsync();
            await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            await using var command = connection.CreateCommand();
            command.CommandText = "select count(*) from taskrecovery.queues";
            await command.ExecuteScalarAsync();
            await Task.Delay(TimeSpan.FromSeconds(10));
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            // Another harm ended it.
        }

        fleet.Record(HarmKinds.OldSnapshot, 0, at, Stopwatch.GetTimestamp());
    }

    private async Task FillConnectionsAsync(long at)
    {
        var taken = new List<System.Data.Common.DbConnection>();
        try
        {
            while (true)
            {
                taken.Add(await store.ConnectAsync());
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            // That was the last one.
            await Task.Delay(TimeSpan.FromSeconds(4));
        }

        foreach (var connection in taken)
        {
            await connection.DisposeAsync();
        }

        fleet.Record(HarmKinds.ConnectionLimit, 0, at, Stopwatch.GetTimestamp());
    }

    private async Task TryOnServerAsync(string sql)
    {
        try
        {
            await store.ExecuteAsync(sql);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            // The server may be down at this moment by another harm.
        }
    }
}
