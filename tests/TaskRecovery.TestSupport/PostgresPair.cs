using System.Diagnostics;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A primary and its streaming standby for one test, made from this machine's binaries.</summary>
public sealed class PostgresPair : IAsyncDisposable
{
    private const string StandbyName = "standby";

    private LocalPostgres _primary;
    private LocalPostgres _standby;

    private PostgresPair(LocalPostgres primary, LocalPostgres standby) => (_primary, _standby) = (primary, standby);

    /// <summary>The connection string of the primary: the server that was the primary at first, until <see cref="RenewAsync"/> is
    /// called.</summary>
    public string PrimaryConnectionString => _primary.ConnectionString;

    /// <summary>The connection string of the standby.</summary>
    public string StandbyConnectionString => _standby.ConnectionString;

    /// <summary>A connection string that names both servers and sets no other option for a failover: the user or the library must set
    /// those.</summary>
    public string ConnectionString
    {
        get
        {
            var (first, second) =
                (new NpgsqlConnectionStringBuilder(PrimaryConnectionString), new NpgsqlConnectionStringBuilder(StandbyConnectionString));
            var hosts = $"127.0.0.1:{first.Port},127.0.0.1:{second.Port}";
            return new NpgsqlConnectionStringBuilder(PrimaryConnectionString) { Host = hosts }.ConnectionString;
        }
    }

    /// <summary>Starts both servers and waits until the standby streams.</summary>
    /// <param name="synchronous">Whether a commit waits until the standby has confirmed it.</param>
    /// <param name="options">More settings for both servers.</param>
    public static async Task<PostgresPair> StartAsync(bool synchronous, PostgresServerOptions? options = null)
    {
        var primary = await LocalPostgres.StartAsync(
            PostgresServer.FindBinaries(), options ?? new PostgresServerOptions { MaxConnections = 60 });
        LocalPostgres? standby = null;
        try
        {
            standby = await LocalPostgres.StartStandbyAsync(primary, StandbyName);
            var pair = new PostgresPair(primary, standby);
            await pair.WaitForStandbyAsync();
            if (synchronous)
            {
                await pair.MakeSynchronousAsync();
            }

            return pair;
        }
        catch
        {
            await (standby?.DisposeAsync() ?? ValueTask.CompletedTask);
            await primary.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the standby. Commits of a synchronous pair then wait.</summary>
    public Task StopStandbyAsync() => _standby.StopAsync("immediate");

    /// <summary>Starts the standby again. It can be promoted later whether or not the primary is running.</summary>
    public Task StartStandbyAsync() => _standby.StartAsync();

    /// <summary>Kills the primary's main process with SIGKILL; its children notice and exit.</summary>
    public async Task KillPrimaryAsync() => Signal.Kill.SendTo(await _primary.ProcessIdAsync());

    /// <summary>Promotes the standby to the primary.</summary>
    public Task PromoteStandbyAsync() => _standby.PromoteAsync();

    /// <summary>Makes commits wait for the standby.</summary>
    public async Task MakeSynchronousAsync()
    {
        await ExecuteAsync(_primary.ConnectionString, $"alter system set synchronous_standby_names = '{StandbyName}'");
        await ExecuteAsync(_primary.ConnectionString, "select pg_reload_conf()");
        await WaitForStandbyAsync("sync");
    }

    /// <summary>Makes commits not wait for the standby.</summary>
    public async Task MakeAsynchronousAsync()
    {
        await ExecuteAsync(_primary.ConnectionString, "alter system reset synchronous_standby_names");
        await ExecuteAsync(_primary.ConnectionString, "select pg_reload_conf()");
        await WaitForStandbyAsync("async");
    }

    /// <summary>Completes a failover: the promoted server becomes this pair's primary, and a new standby takes the role and the port of the
    /// killed server.</summary>
    public async Task RenewAsync()
    {
        var old = _primary;
        _primary = _standby;
        await old.DisposeAsync();
        _standby = await LocalPostgres.StartStandbyAsync(_primary, StandbyName, old.Port);
        await WaitForStandbyAsync();
    }

    /// <summary>Waits until the standby streams and, if <paramref name="state"/> is given, has this
    /// <c>pg_stat_replication.sync_state</c>.</summary>
    public async Task WaitForStandbyAsync(string? state = null)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        do
        {
            if (await ExecuteAsync(
                _primary.ConnectionString,
                $"select count(*) from pg_stat_replication where application_name = '{StandbyName}' and state = 'streaming' "
                + $"and ('{state}' = '' or sync_state = '{state}')") is 1L)
            {
                return;
            }
        }
        while (clock.Elapsed < TimeSpan.FromMinutes(3) && await timer.WaitForNextTickAsync());

        throw new TimeoutException($"The standby does not stream.\n{await _standby.LogAsync()}");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _primary.DisposeAsync();
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = PostgresDatabase.Unpooled(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync();
    }
}
