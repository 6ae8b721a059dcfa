using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace TaskRecovery.Chaos;

/// <summary>What other users of a SQLite file do: long transactions, a reader's old snapshot, copies.</summary>
internal sealed class FileHarm(ChaosStore store, Fleet fleet, ChaosOptions options, Random random)
{
    private Task _transaction = Task.CompletedTask;
    private Task _snapshot = Task.CompletedTask;
    private int _copies;

    /// <summary>What was found wrong with a copy.</summary>
    public List<string> BadCopies { get; } = [];

    /// <summary>The harm of a kind; null if it is done to something else. There is one transaction and one snapshot at a time.</summary>
    public Func<Task>? Find(string kind) => kind switch
    {
        HarmKinds.LongTransaction => () => _transaction.IsCompleted ? _transaction = HoldTransactionAsync() : Task.CompletedTask,
        HarmKinds.OldSnapshot => () => _snapshot.IsCompleted ? _snapshot = HoldSnapshotAsync() : Task.CompletedTask,
        HarmKinds.Copy => CopyAsync,
        _ => null,
    };

    private async Task HoldTransactionAsync()
    {
        await using var connection = await ConnectAsync();
        await ExecuteAsync(connection, "begin immediate; insert into probe_notes (text) values ('begun')");
        var at = Stopwatch.GetTimestamp();
        await Task.Delay(Duration(5, 40));
        await ExecuteAsync(connection, "insert into probe_notes (text) values ('done'); commit");
        fleet.Record(HarmKinds.LongTransaction, null, at, Stopwatch.GetTimestamp());
    }

    private async Task HoldSnapshotAsync()
    {
        await using var connection = await ConnectAsync();
        var at = Stopwatch.GetTimestamp();
        await ExecuteAsync(connection, "begin; select count(*) from probe_notes");
        await Task.Delay(Duration(60, 180));
        await ExecuteAsync(connection, "commit");
        fleet.Record(HarmKinds.OldSnapshot, null, at, Stopwatch.GetTimestamp());
    }

    /// <summary>Copies the file with another program, and with <c>vacuum into</c>, whose copy must be sound.</summary>
    private async Task CopyAsync()
    {
        var at = Stopwatch.GetTimestamp();
        var copy = Path.Combine(store.JournalFolder, $"copy-{Interlocked.Increment(ref _copies).ToString(CultureInfo.InvariantCulture)}");
        using (var program = Process.Start("cp", [store.SqliteFile, copy]))
        {
            await program.WaitForExitAsync();
        }

        File.Delete(copy);
        await using (var connection = await ConnectAsync())
        {
            await ExecuteAsync(connection, $"vacuum into '{copy}'");
        }

        if (await ChaosStore.CheckIntegrityAsync(copy) is { } problem)
        {
            BadCopies.Add(problem);
        }

        File.Delete(copy);
        fleet.Record(HarmKinds.Copy, null, at, Stopwatch.GetTimestamp());
    }

    // A short run has short ones, so that they do not last longer than it does.
    private TimeSpan Duration(int from, int to)
    {
        var part = Math.Min(1, options.Limit / TimeSpan.FromMinutes(4));
        return TimeSpan.FromSeconds(Math.Max(3, part * (from + (random.NextDouble() * (to - from)))));
    }

    private async Task<SqliteConnection> ConnectAsync()
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = store.SqliteFile, DefaultTimeout = 300 };
        var connection = new SqliteConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await Task.Run(() => command.ExecuteNonQuery());
    }
}
