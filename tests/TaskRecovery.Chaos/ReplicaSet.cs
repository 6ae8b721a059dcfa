using Npgsql;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Chaos;

/// <summary>A primary and its standby, an address that follows the primary, and PgBouncer in both modes where it is installed.</summary>
internal sealed class ReplicaSet : IAsyncDisposable
{
    // What docs/deployment.md asks for in an application's own connection string.
    private const string OwnSettings = ";Target Session Attributes=primary;Host Recheck Seconds=1;Cancellation Timeout=-1;Timeout=5";

    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(5);

    private readonly TcpProxy _address;
    private readonly List<Func<HostSettings, HostSettings>> _ways = [];
    private PgBouncer? _session;
    private PgBouncer? _transaction;

    private ReplicaSet(PostgresPair pair)
    {
        Pair = pair;
        var primary = new NpgsqlConnectionStringBuilder(pair.PrimaryConnectionString);
        _address = new TcpProxy(primary.Host!, primary.Port);
        var hosts = pair.ConnectionString;
        _ways.Add(settings => settings with { Postgres = hosts, ApplicationPostgres = hosts + OwnSettings });
        _ways.Add(settings => settings with { Postgres = hosts, ApplicationPostgres = hosts + OwnSettings, UsesDataSource = true });
    }

    public PostgresPair Pair { get; }

    public static async Task<ReplicaSet> StartAsync()
    {
        var set = new ReplicaSet(await PostgresPair.StartAsync(synchronous: true, new PostgresServerOptions { MaxConnections = 200 }));
        try
        {
            await set.StartPoolersAsync();
            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    /// <summary>How the worker of a number reaches the database: each one in another way than the one before it.</summary>
    public HostSettings Connect(HostSettings settings, int number)
        => _ways[number % _ways.Count](settings with { CommandTimeout = CommandTimeout });

    /// <summary>How a process that only enqueues reaches the database.</summary>
    public HostSettings ConnectClient(HostSettings settings) => Connect(settings, 0);

    /// <summary>Lets the address lead to the server that was promoted.</summary>
    public void MoveAddress()
    {
        var promoted = new NpgsqlConnectionStringBuilder(Pair.StandbyConnectionString);
        _address.Redirect(promoted.Host!, promoted.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await (_session?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_transaction?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _address.DisposeAsync();
        await Pair.DisposeAsync();
    }

    private async Task StartPoolersAsync()
    {
        if (!PgBouncer.IsInstalled)
        {
            Console.WriteLine("PgBouncer is not installed: no worker goes through it. Debian, Ubuntu: apt-get install pgbouncer.");
            return;
        }

        // PgBouncer waits for 15 s by default after a server has refused it.
        const string settings = "server_login_retry = 1";
        var address = new NpgsqlConnectionStringBuilder(Pair.PrimaryConnectionString) { Port = _address.Port }.ConnectionString;
        _session = await PgBouncer.StartAsync(address, "session", poolSize: 100, settings);
        _transaction = await PgBouncer.StartAsync(address, "transaction", poolSize: 20, settings);
        var (session, transaction) = (_session.ConnectionString, _transaction.ConnectionString);
        _ways.Add(one => one with { Postgres = session });
        _ways.Add(one => one with { Postgres = transaction, UseSessionLocks = false, UseNotifications = false });
    }
}
