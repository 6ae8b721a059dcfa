using System.Collections.Concurrent;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A PostgreSQL server for tests: the server named by <c>TASKRECOVERY_TEST_POSTGRES</c>, else a container if a Docker engine is
/// available, else a server started from this machine's binaries. If none is available, tests fail with a message that says what to
/// install.</summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    /// <summary>The environment variable with the connection string of a role that may create databases.</summary>
    public const string EnvironmentVariable = "TASKRECOVERY_TEST_POSTGRES";

    /// <summary>How many seconds a test waits for a connection: a machine may stand still.</summary>
    internal const int PatientTimeout = 120;

    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartSharedAsync);

    private readonly LocalPostgres? _local;
    private readonly IAsyncDisposable? _owned;
    private readonly ConcurrentDictionary<string, Lazy<Task<PostgresTemplate>>> _templates = new(StringComparer.Ordinal);

    private PostgresServer(
        string connectionString, string source, LocalPostgres? local = null, IAsyncDisposable? owned = null, bool driverPools = false,
        bool isControlled = false)
    {
        Source = source;
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { IncludeErrorDetail = true };
        if (!isControlled)
        {
            // Where a test stops the server or cuts the network, the library's own limit counts.
            builder.Timeout = PatientTimeout;
        }

        if (!driverPools)
        {
            // Close idle connections soon: every fixture has its own database, and so its own pool, but all of them share the server's
            // connection limit.
            (builder.ConnectionIdleLifetime, builder.ConnectionPruningInterval) = (5, 1);
            if (local is not null)
            {
                builder.MaxPoolSize = 50;
            }
        }

        ConnectionString = builder.ConnectionString;
        _local = local;
        _owned = owned;
    }

    /// <summary>The connection string of the maintenance database; tests use <see cref="CreateDatabaseAsync"/>.</summary>
    public string ConnectionString { get; }

    /// <summary>A readable description of where the server comes from.</summary>
    public string Source { get; }

    /// <summary>The path of a client program such as <c>psql</c>; its name if it has to be found by the operating system.</summary>
    public static string Program(string name) => PostgresBinaries.Find() is { } folder ? Path.Combine(folder, name) : name;

    /// <summary>The server shared by all tests of this process. It is started on first use and removed when the process ends.</summary>
    public static Task<PostgresServer> SharedAsync() => SharedServer.Value;

    /// <summary>Finds or starts a server.</summary>
    public static async Task<PostgresServer> StartAsync(PostgresServerOptions? options = null)
    {
        options ??= new PostgresServerOptions();
        if (!options.Controlled)
        {
            if (Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } given)
            {
                return new PostgresServer(given, $"the server in {EnvironmentVariable}");
            }

            if (await TryStartContainerAsync(options) is { } container)
            {
                return container;
            }
        }

        var binaries = FindBinaries();
        var local = await LocalPostgres.StartAsync(binaries, options);
        return new PostgresServer(
            local.ConnectionString, $"the binaries in {binaries}", local, local, options.DriverPools, options.Controlled);
    }

    /// <summary>Returns the folder of the server's programs. Throws with a message that says what to install.</summary>
    internal static string FindBinaries()
        => !OperatingSystem.IsWindows()
            && PostgresBinaries.Find() is { } binaries ? binaries : throw new InvalidOperationException(NothingFound);

    /// <summary>Creates an empty database with a unique name.</summary>
    public Task<PostgresDatabase> CreateDatabaseAsync(string prefix = "test") => PostgresDatabase.CreateAsync(ConnectionString, prefix);

    /// <summary>Returns a database that is a copy of a template, which the first call fills.</summary>
    /// <param name="prefix">The beginning of the name, if no other test has left its copy.</param>
    /// <param name="template">Names the template within this process. Calls with the same name share it.</param>
    /// <param name="fill">Fills the template, given its connection string. Afterwards only the driver's pool of this connection string may
    /// have sessions.</param>
    /// <param name="isNew">Whether no other test may have used the database. The planner sees the size of its tables.</param>
    public async Task<PostgresDatabase> CopyDatabaseAsync(string prefix, string template, Func<string, Task> fill, bool isNew = false)
    {
        var source = _templates.GetOrAdd(template, _ => new Lazy<Task<PostgresTemplate>>(() => CreateTemplateAsync(fill)));
        return await (await source.Value).CopyAsync(prefix, isNew);
    }

    /// <summary>Stops the server without a checkpoint, as a power cut would, and starts it again on the same port.</summary>
    public async Task RestartImmediateAsync()
    {
        await Local.StopAsync("immediate");
        await Local.StartAsync();
    }

    /// <summary>Stops the server: <c>fast</c> ends its sessions in order, <c>immediate</c> drops them.</summary>
    public Task StopAsync(string mode = "fast") => Local.StopAsync(mode);

    /// <summary>Starts the server again after <see cref="StopAsync"/> or <see cref="KillAsync"/>, on the same port.</summary>
    public Task StartAgainAsync() => Local.StartAsync();

    /// <summary>Kills the server's main process with SIGKILL; its children notice and exit.</summary>
    public async Task KillAsync() => Signal.Kill.SendTo(await Local.ProcessIdAsync());

    /// <summary>Returns what the server has logged so far.</summary>
    public Task<string> LogAsync() => Local.LogAsync();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    private LocalPostgres Local => _local ?? throw new InvalidOperationException(
        "This server is not ours to stop. "
        + $"Start it with {nameof(PostgresServerOptions)}.{nameof(PostgresServerOptions.Controlled)} = true.");

    private async Task<PostgresTemplate> CreateTemplateAsync(Func<string, Task> fill)
    {
        var template = await PostgresTemplate.CreateAsync(ConnectionString, lendsAgain: _owned is not null, fill);
        if (_owned is null)
        {
            // The server stays when this process ends, and the template must not.
            AppDomain.CurrentDomain.ProcessExit += (_, _) => template.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        return template;
    }

    private static async Task<PostgresServer> StartSharedAsync()
    {
        var server = await StartAsync();
        Console.WriteLine($"PostgreSQL for these tests: {server.Source}.");
        return server;
    }

    private const string NothingFound =
        $"""
        These tests need a PostgreSQL server (15 or later) and found none. Do one of these:
          - install it, so that initdb and pg_ctl can be found (they need not be on the PATH and no server has to run):
              Debian, Ubuntu: apt-get install postgresql     Fedora: dnf install postgresql-server     macOS: brew install postgresql@17
          - set {EnvironmentVariable} to the connection string of a role that may create databases, for example
              Host=localhost;Username=postgres;Password=...;Database=postgres
            (crash tests stop and start their server and need the binaries all the same)
          - start Docker: the tests then use a container
        """;
}
