using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>Files in a temporary folder.</summary>
internal sealed class SqliteBenchmarkStore : IBenchmarkStore
{
    private readonly string _folder = Directory.CreateTempSubdirectory("taskrecovery-bench-").FullName;

    public string Name => "sqlite";

    public async Task<string> DescribeAsync()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync();
        return $"SQLite {connection.ServerVersion}, WAL, synchronous full";
    }

    public async Task<IBenchmarkDatabase> CreateAsync()
    {
        var database = new SqliteBenchmarkDatabase(Path.Combine(_folder, $"{Guid.NewGuid():n}.db"));
        await database.UseStoreAsync(store => store.PrepareAsync(CancellationToken.None));
        return database;
    }

    public async Task<IBenchmarkDatabase> CopyAsync(IBenchmarkDatabase template)
    {
        await template.SettleAsync();
        var database = new SqliteBenchmarkDatabase(Path.Combine(_folder, $"{Guid.NewGuid():n}.db"));
        File.Copy(((SqliteBenchmarkDatabase)template).Path, database.Path);
        return database;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>One file.</summary>
internal sealed class SqliteBenchmarkDatabase(string path) : IBenchmarkDatabase
{
    public string Path => path;

    public string ConnectionString { get; } = $"Data Source={path}";

    public async Task UseStoreAsync(Func<IQueueStore, Task> work)
    {
        using var host = BenchmarkHost.Create("sqlite", ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        await work(host.Services.GetRequiredService<IQueueStore>());
    }

    public Task FillAsync(FillSpec fill) => UseStoreAsync(async store =>
    {
        const int part = 10_000;
        var text = new string('x', Math.Max(0, fill.ArgsBytes - 48));
        for (var done = 0; done < fill.Count; done += part)
        {
            var entries = Enumerable.Range(done, Math.Min(part, fill.Count - done)).Select(number => new NewEntry
            {
                Kind = fill.Kind,
                Queue = fill.Queue,
                Priority = 5,
                MaxAttempts = 10,
                Args = System.Text.Encoding.UTF8.GetBytes($$"""{"number":{{number}},"milliseconds":0,"text":"{{text}}"}"""),
                RunAfter = fill.Later ? TimeSpan.FromDays(1) : null,
            }).ToArray();
            await store.EnqueueAsync(entries, transaction: null, CancellationToken.None);
        }

        if (fill.Ended)
        {
            await RunAsync($"""
                insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final)
                select w.id, 0, w.run_at, 0, 0, 1, 0, 1 from taskrecovery_waiting w join taskrecovery_queues q on q.id = w.queue where q.name = '{fill.Queue}';
                delete from taskrecovery_waiting where queue = (select id from taskrecovery_queues where name = '{fill.Queue}')
                """);
        }
    });

    public async Task SettleAsync()
    {
        await RunAsync("pragma wal_checkpoint(truncate)");
        SqliteConnection.ClearAllPools();
    }

    public async Task<double> NowAsync() => await ReadAsync("select (julianday('now') - 2440587.5) * 86400.0");

    public async Task<(long Count, double Last)> OutcomesAsync(double since)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand($"select count(*), coalesce(max(ended_at), 0) / 1e6 from taskrecovery_outcomes where ended_at >= {(long)((since * 1e6) - 1000)}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetDouble(1));
    }

    public Task SetPausedAsync(string queue, bool paused) => UseStoreAsync(store => store.SetPausedAsync(queue, paused, CancellationToken.None).AsTask());

    public async Task<StoreCost> CostAsync()
    {
        var claims = await ReadAsync("select coalesce((select seq from sqlite_sequence where name = 'taskrecovery_claims'), 0)");
        return new StoreCost(0, 0, 0, claims, 0, 0);
    }

    public Task CountStatementsAsync(bool on) => Task.CompletedTask;

    public async Task<IAsyncDisposable> HoldSnapshotAsync()
    {
        var connection = await OpenAsync();
        await using var command = new SqliteCommand("begin; select count(*) from taskrecovery_queues", connection);
        await command.ExecuteScalarAsync();
        return connection;
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        foreach (var file in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path) + "*"))
        {
            File.Delete(file);
        }

        return ValueTask.CompletedTask;
    }

    private async Task<SqliteConnection> OpenAsync()
    {
        var connection = new SqliteConnection(ConnectionString + ";Pooling=False");
        await connection.OpenAsync();
        return connection;
    }

    private async Task RunAsync(string statement)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<double> ReadAsync(string statement)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand(statement, connection);
        return Convert.ToDouble(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>Transactions of a caller of its own.</summary>
internal sealed class SqliteTransactions(string connectionString) : ITransactions
{
    public async Task RunAsync(Func<DbTransaction, Task> work)
    {
        await using var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await work(transaction);
        await transaction.CommitAsync();
    }
}
