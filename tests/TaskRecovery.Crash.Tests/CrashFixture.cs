using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>One store, the child processes that work on it, and a client that enqueues and reads.</summary>
public sealed class CrashFixture : IAsyncDisposable
{
    private readonly List<ChildProcess> _children = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-crash-");
    private ServiceProvider? _services;
    private int _journals;

    private CrashFixture()
    {
    }

    public PostgresServer? Server { get; private init; }

    public required Func<string, HostSettings> SettingsFor { get; init; }

    public IJobQueue Queue => Services.GetRequiredService<IJobQueue>();

    public ITaskService Tasks => Services.GetRequiredService<ITaskService>();

    public IQueueStore Store => Services.GetRequiredService<IQueueStore>();

    private ServiceProvider Services => _services ?? throw new InvalidOperationException("The fixture was not started.");

    public static async Task<CrashFixture> OnPostgresAsync()
    {
        var server = await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true, Fsync = true });
        var fixture = new CrashFixture
        {
            Server = server,
            SettingsFor = journal => new HostSettings { Postgres = server.ConnectionString, JournalFile = journal },
        };
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("create table probe_effects (entry bigint, fence bigint)", connection);
        await command.ExecuteNonQueryAsync();
        return await fixture.StartAsync();
    }

    public static async Task<CrashFixture> OnSqliteAsync()
    {
        CrashFixture? fixture = null;
        fixture = new CrashFixture { SettingsFor = journal => new HostSettings { SqliteFile = Path.Combine(fixture!._folder.FullName, "tasks.db"), JournalFile = journal } };
        await fixture.StartAsync();
        await using var connection = new SqliteConnection($"Data Source={fixture.SettingsFor("unused").SqliteFile}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "create table probe_effects (entry integer, fence integer)";
        await command.ExecuteNonQueryAsync();
        return fixture;
    }

    /// <summary>Starts a node and waits until its host has started.</summary>
    public async Task<ChildProcess> StartNodeAsync(Func<HostSettings, HostSettings>? configure = null)
    {
        var child = Launch(configure);
        await child.WaitForLineAsync("ready");
        return child;
    }

    /// <summary>Starts a node without waiting for it.</summary>
    public ChildProcess Launch(Func<HostSettings, HostSettings>? configure = null)
    {
        var settings = SettingsFor(Path.Combine(_folder.FullName, $"{Interlocked.Increment(ref _journals)}.journal"));
        settings = configure?.Invoke(settings) ?? settings;
        var child = ChildProcess.StartDotnet(typeof(HostSettings).Assembly.Location, [settings.ToArgument()], HostSettings.ShortLived);
        _children.Add(child);
        return child;
    }

    /// <summary>The nodes that have not ended.</summary>
    public IReadOnlyList<ChildProcess> Alive => [.. _children.Where(child => !child.HasExited)];

    public IReadOnlyList<JournalLine> ReadJournal() => Journal.ReadAll(_folder.FullName);

    public async ValueTask DisposeAsync()
    {
        foreach (var child in _children)
        {
            await child.DisposeAsync();
        }

        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }

    private async Task<CrashFixture> StartAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        ProbeHost.AddClient(services, SettingsFor("unused"));
        _services = services.BuildServiceProvider();
        await Store.PrepareAsync(CancellationToken.None);
        return this;
    }
}
