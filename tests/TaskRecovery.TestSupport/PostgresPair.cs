using System.Diagnostics;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A primary and its streaming standby, of this test alone, made from the binaries of this machine with <c>pg_basebackup</c>.</summary>
public sealed class PostgresPair : IAsyncDisposable
{
    private const string StandbyName = "standby";

    private LocalPostgres _primary;
    private LocalPostgres _standby;

    private PostgresPair(LocalPostgres primary, LocalPostgres standby) => (_primary, _standby) = (primary, standby);

    /// <summary>Connects to the primary: the server that was the primary at first, until <see cref="RenewAsync"/>.</summary>
    public string PrimaryConnectionString => _primary.ConnectionString;

    /// <summary>Connects to the standby.</summary>
    public string StandbyConnectionString => _standby.ConnectionString;

    /// <summary>Names both servers, and nothing else that a pair needs: what is to be set for a failover is the user's, or the library's, affair.</summary>
    public string ConnectionString
    {
        get
        {
            var (first, second) = (new NpgsqlConnectionStringBuilder(PrimaryConnectionString), new NpgsqlConnectionStringBuilder(StandbyConnectionString));
            return new NpgsqlConnectionStringBuilder(PrimaryConnectionString) { Host = $"127.0.0.1:{first.Port},127.0.0.1:{second.Port}" }.ConnectionString;
        }
    }

    /// <summary>Starts both and waits until the standby streams.</summary>
    /// <param name="synchronous">Whether a commit waits until the standby has it.</param>
    /// <param name="options">More settings for both.</param>
    public static async Task<PostgresPair> StartAsync(bool synchronous, PostgresServerOptions? options = null)
    {
        var primary = await LocalPostgres.StartAsync(PostgresServer.FindBinaries(), options ?? new PostgresServerOptions { MaxConnections = 60 });
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

    /// <summary>Stops the standby; commits of a synchronous pair then wait.</summary>
    public Task StopStandbyAsync() => _standby.StopAsync("immediate");

    /// <summary>Starts the standby again. It may be promoted whether the primary is there or not.</summary>
    public Task StartStandbyAsync() => _standby.StartAsync();

    /// <summary>Kills the primary's first process with SIGKILL; its children notice and follow.</summary>
    public async Task KillPrimaryAsync() => Signal.Kill.SendTo(await _primary.ProcessIdAsync());

    /// <summary>Makes the standby the primary.</summary>
    public Task PromoteStandbyAsync() => _standby.PromoteAsync();

    /// <summary>Lets commits wait for the standby.</summary>
    public async Task MakeSynchronousAsync()
    {
        await ExecuteAsync(_primary.ConnectionString, $"alter system set synchronous_standby_names = '{StandbyName}'");
        await ExecuteAsync(_primary.ConnectionString, "select pg_reload_conf()");
        await WaitForStandbyAsync("sync");
    }

    /// <summary>Lets commits wait for nothing.</summary>
    public async Task MakeAsynchronousAsync()
    {
        await ExecuteAsync(_primary.ConnectionString, "alter system reset synchronous_standby_names");
        await ExecuteAsync(_primary.ConnectionString, "select pg_reload_conf()");
        await WaitForStandbyAsync("async");
    }

    /// <summary>After a promotion: the promoted server is the primary of this pair, and a new standby takes the place and the port of the one that was killed.</summary>
    public async Task RenewAsync()
    {
        var old = _primary;
        _primary = _standby;
        await old.DisposeAsync();
        _standby = await LocalPostgres.StartStandbyAsync(_primary, StandbyName, old.Port);
        await WaitForStandbyAsync();
    }

    /// <summary>Waits until the standby streams, in a state of <c>pg_stat_replication.sync_state</c> if one is given.</summary>
    public async Task WaitForStandbyAsync(string? state = null)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        do
        {
            if (await ExecuteAsync(
                _primary.ConnectionString,
                $"select count(*) from pg_stat_replication where application_name = '{StandbyName}' and state = 'streaming' and ('{state}' = '' or sync_state = '{state}')") is 1L)
            {
                return;
            }
        }
        while (clock.Elapsed < TimeSpan.FromSeconds(30) && await timer.WaitForNextTickAsync());

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
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync();
    }
}
