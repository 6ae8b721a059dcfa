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
        return Keep(new SqliteDatabase(ConnectionString, options, time ?? TimeProvider.System, log, startThread: startThread)
        {
            HeartbeatWait = Patience,
            VerdictWait = Patience,
        });
    }

    /// <summary>A store whose tables are there, as one process has it.</summary>
    internal async Task<SqliteQueueStore> OpenStoreAsync(Action<SqliteOptions>? configure = null, TimeProvider? time = null)
    {
        var store = Store(Open(configure, time));
        await store.PrepareAsync(CancellationToken.None);
        return store;
    }

    internal SqliteQueueStore Store(SqliteDatabase database)
        => Keep(new SqliteQueueStore(database, new SqliteMigrator(database), new SqliteMonitorStore(database)));

    /// <summary>A connection as a user has it.</summary>
    public SqliteConnection Connect()
    {
        var connection = Keep(new SqliteConnection($"{ConnectionString};Pooling=False"));
        connection.Open();
        return connection;
    }

    /// <summary>Disposes something at the end of the test, before what was opened earlier.</summary>
    public T Keep<T>(T opened)
        where T : IDisposable
    {
        _open.Add(opened);
        return opened;
    }

    /// <summary>Runs statements as something else than the library may: keys need not exist.</summary>
    public void Execute(string statements)
    {
        using var command = Connect().CreateCommand();
        command.CommandText = "pragma foreign_keys = off; " + statements;
        command.ExecuteNonQuery();
    }

    /// <summary>The number that a query returns; 0 if it returns no row.</summary>
    public long Read(string query)
    {
        using var command = Connect().CreateCommand();
        command.CommandText = query;
        return (long)(command.ExecuteScalar() ?? 0L);
    }

    /// <summary>How many heartbeats of a node are stored in the database.</summary>
    public long StoredHeartbeats(Guid node)
        => Read($"select beat from taskrecovery_nodes where id = x'{Convert.ToHexString(node.ToByteArray(bigEndian: true))}'");

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
