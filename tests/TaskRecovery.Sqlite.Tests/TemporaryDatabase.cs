using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>A database file of its own for a test, and stores over it.</summary>
public sealed class TemporaryDatabase : IDisposable
{
    // A heartbeat or verdict that waits for the write lock may be asserted once, as long as a machine may stand still.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-sqlite-");
    private readonly List<IDisposable> _open = [];

    public string Folder => _folder.FullName;

    public string File => Path.Combine(Folder, "tasks.db");

    public string ConnectionString => $"Data Source={File}";

    internal SqliteDatabase Open(
        Action<SqliteOptions>? configure = null, TimeProvider? time = null, ILogger? log = null, Action<Thread>? startThread = null)
    {
        var options = new SqliteOptions();
        configure?.Invoke(options);
        var database = new SqliteDatabase(ConnectionString, options, time ?? TimeProvider.System, log, startThread: startThread)
        {
            HeartbeatWait = Patience,
            VerdictWait = Patience,
        };
        _open.Add(database);
        return database;
    }

    /// <summary>A store whose tables are there, as one process has it.</summary>
    internal async Task<SqliteQueueStore> OpenStoreAsync(Action<SqliteOptions>? configure = null, TimeProvider? time = null)
    {
        var store = Store(Open(configure, time));
        await store.PrepareAsync(CancellationToken.None);
        return store;
    }

    internal SqliteQueueStore Store(SqliteDatabase database)
    {
        var store = new SqliteQueueStore(database, new SqliteMigrator(database), new SqliteMonitorStore(database));
        _open.Add(store);
        return store;
    }

    /// <summary>A connection as a user has it.</summary>
    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"{ConnectionString};Pooling=False");
        connection.Open();
        _open.Add(connection);
        return connection;
    }

    public static NewEntry Entry(string args = "{}", string queue = "default", TimeSpan? after = null, string? key = null) => new()
    {
        Kind = "work",
        Queue = queue,
        Priority = 5,
        Args = Encoding.UTF8.GetBytes(args),
        MaxAttempts = 10,
        RunAfter = after,
        UniqueKey = key,
    };

    /// <summary>Joins as a node that holds its lock and has sent one heartbeat.</summary>
    public static INodeSession Join(IQueueStore store, string name, out Guid id)
    {
        var session = store.OpenNodeSession();
        var identity = Identity(name);
        id = identity.Id;
        Assert.True(session.Register(identity).HoldsLock);
        Assert.True(session.SendHeartbeat(id, true).Accepted);
        return session;
    }

    public static NodeIdentity Identity(string name) => new()
    {
        Id = Guid.NewGuid(),
        Name = name,
        NameIsExplicit = true,
        Machine = Environment.MachineName,
        ProcessId = Environment.ProcessId,
        ProcessStarted = LocalProcess.Started(Environment.ProcessId)!.Value,
    };

    public void Dispose()
    {
        foreach (var one in _open.AsEnumerable().Reverse())
        {
            one.Dispose();
        }

        _folder.Delete(recursive: true);
    }
}
