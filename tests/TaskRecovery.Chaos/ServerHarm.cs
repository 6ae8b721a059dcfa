using System.Data;
using System.Data.Common;
using System.Diagnostics;
using Npgsql;

namespace TaskRecovery.Chaos;

/// <summary>What is done to a database server, and so to every node at a time.</summary>
internal sealed class ServerHarm(ChaosStore store, Fleet fleet)
{
    private Task _restart = Task.CompletedTask;

    /// <summary>The harm of a kind; null if it is done to a worker.</summary>
    public Func<Task>? Find(string kind) => kind switch
    {
        HarmKinds.ServerRestart => () => _restart = RestartAsync(_restart),
        HarmKinds.KillBackends => KillBackendsAsync,
        HarmKinds.OldSnapshot => HoldSnapshotAsync,
        HarmKinds.ConnectionLimit => FillConnectionsAsync,
        _ => null,
    };

    /// <summary>Ends every connection of one node: they all say its process.</summary>
    public Task KillBackendsOfAsync(Worker worker)
        => TryAsync("select pg_terminate_backend(pid) from pg_stat_activity where pid in (select h.backend from taskrecovery.heartbeats h "
            + $"join taskrecovery.nodes n on n.number = h.node where n.process_id = {worker.Id} and n.dead_at is null) "
            + "or application_name in (select application from taskrecovery.nodes "
            + $"where process_id = {worker.Id} and dead_at is null)");

    // One after the other: there is one server.
    private async Task RestartAsync(Task before)
    {
        await before;
        var at = Stopwatch.GetTimestamp();
        await store.Server!.RestartImmediateAsync();
        fleet.Record(HarmKinds.ServerRestart, null, at, Stopwatch.GetTimestamp());
    }

    private async Task KillBackendsAsync()
    {
        fleet.Record(HarmKinds.KillBackends, null, Stopwatch.GetTimestamp());
        await TryAsync("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' "
            + "and pid <> pg_backend_pid() and random() < 0.3");
    }

    private async Task HoldSnapshotAsync()
    {
        var at = Stopwatch.GetTimestamp();
        try
        {
            await using var connection = await store.ConnectAsync();
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
            await using var command = connection.CreateCommand();
            command.CommandText = "select count(*) from taskrecovery.queues";
            await command.ExecuteScalarAsync();
            await Task.Delay(TimeSpan.FromSeconds(10));
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            // Another harm ended it.
        }

        fleet.Record(HarmKinds.OldSnapshot, null, at, Stopwatch.GetTimestamp());
    }

    private async Task FillConnectionsAsync()
    {
        var at = Stopwatch.GetTimestamp();
        var taken = new List<DbConnection>();
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

        fleet.Record(HarmKinds.ConnectionLimit, null, at, Stopwatch.GetTimestamp());
    }

    private async Task TryAsync(string sql)
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
