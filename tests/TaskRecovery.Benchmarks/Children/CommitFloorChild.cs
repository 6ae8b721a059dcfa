using System.Data.Common;
using System.Diagnostics;
using Npgsql;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Commits rows of a table of its own, one or a few at a time: on connections that stay open, or in transactions of a
/// pool.</summary>
internal sealed class CommitFloorChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private readonly string _insert =
        "insert into floor_rows (text) values " + string.Join(", ", Enumerable.Repeat($"('{new string('x', 100)}')", spec.Batch));

    private readonly List<NpgsqlConnection> _connections = [];
    private readonly ITransactions _transactions = BenchmarkStores.Transactions(spec.Store, spec.ConnectionString);
    private long _count;

    protected override long Count => Interlocked.Read(ref _count);

    protected override async Task PrepareAsync()
    {
        var id = spec.Store == "postgres" ? "bigint generated always as identity" : "integer";
        var table = $"create table if not exists floor_rows (id {id} primary key, text text not null)";
        await _transactions.RunAsync(transaction => ExecuteAsync(transaction, table));
        if (!spec.InTransaction)
        {
            await PostgresDrainFloor.OpenAsync(_connections, spec);
        }

        await WarmUp.UntilCompiledAsync(_ => CommitAsync(Producer.WarmUpSeconds));
        Interlocked.Exchange(ref _count, 0);
    }

    protected override Task GoAsync() => CommitAsync(spec.Seconds);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }
    }

    private Task CommitAsync(double seconds) => Task.WhenAll(Enumerable.Range(0, spec.Parallel).Select(caller => Task.Run(async () =>
    {
        await using var command = spec.InTransaction ? null : new NpgsqlCommand(_insert, _connections[caller]);
        await (command?.PrepareAsync() ?? Task.CompletedTask);
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started).TotalSeconds < seconds;)
        {
            await (command?.ExecuteNonQueryAsync() ?? _transactions.RunAsync(transaction => ExecuteAsync(transaction, _insert)));
            Interlocked.Increment(ref _count);
        }
    })));

    private static async Task ExecuteAsync(DbTransaction transaction, string statement)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }
}
