using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>Two instances of TaskRecovery in one host, each with a database of its own.</summary>
public sealed class NamedInstanceTests : IAsyncLifetime
{
    private const string ShortIdle = ";Connection Idle Lifetime=2;Connection Pruning Interval=1";

    private readonly Runs _runs = new();
    private PostgresDatabase? _shop;
    private PostgresDatabase? _reports;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _shop = await MigratedDatabase.CreateAsync("shop");
        _reports = await MigratedDatabase.CreateAsync("reports");
    }

    public async ValueTask DisposeAsync()
    {
        await _shop!.DisposeAsync();
        await _reports!.DisposeAsync();
    }

    [Fact]
    public async Task Two_databases_keep_their_entries_apart()
    {
        await ExecuteAsync(_shop!, "insert into taskrecovery.kinds (name) values ('instance-note'), ('instance-letter')");
        await ExecuteAsync(_reports!, "insert into taskrecovery.kinds (name) values ('instance-letter'), ('instance-note')");
        using var host = Build();
        await host.StartAsync(Cancellation);

        await Shop(host).EnqueueAsync(new Note(1), cancellationToken: Cancellation);
        await Shop(host).EnqueueAsync(new Letter(2), cancellationToken: Cancellation);
        await Reports(host).EnqueueAsync(new Note(3), cancellationToken: Cancellation);
        await Reports(host).EnqueueAsync(new Letter(4), cancellationToken: Cancellation);
        await UntilAsync(() => _runs.All.Count >= 4);
        await host.StopAsync(Cancellation);

        const string number = "select id::integer from taskrecovery.kinds where name = 'instance-note'";
        Assert.Equal(["Reports Letter 4", "Reports Note 3", "Shop Letter 2", "Shop Note 1"], _runs.All);
        Assert.NotEqual(await ScalarAsync<int>(_shop!, number), await ScalarAsync<int>(_reports!, number));
        Assert.Equal(2L, await ScalarAsync<long>(_shop!, "select count(*) from taskrecovery.entries"));
        Assert.Equal(2L, await ScalarAsync<long>(_reports!, "select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_transaction_of_the_other_instance_is_refused()
    {
        using var host = Build();
        await host.StartAsync(Cancellation);

        await AssertRefusedAsync(Shop(host), _reports!);
        await AssertRefusedAsync(Reports(host), _shop!);

        Assert.Equal(0L, await ScalarAsync<long>(_shop!, "select count(*) from taskrecovery.entries"));
        Assert.Equal(0L, await ScalarAsync<long>(_reports!, "select count(*) from taskrecovery.entries"));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task An_enqueue_in_a_transaction_is_heard_by_its_instance_only()
    {
        using var host = Build();
        await host.StartAsync(Cancellation);
        await using (var connection = await OpenAsync(_reports!.ConnectionString))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await Reports(host).EnqueueAsync(new Note(1), transaction, cancellationToken: Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        await UntilAsync(() => _runs.All.Count >= 1);
        await Shop(host).EnqueueAsync(new Note(2), cancellationToken: Cancellation);
        await UntilAsync(() => _runs.All.Count >= 2);
        await host.StopAsync(Cancellation);

        Assert.Equal(["Reports Note 1", "Shop Note 2"], _runs.All);
    }

    [Fact]
    public async Task A_file_and_a_server_work_side_by_side()
    {
        var folder = Directory.CreateTempSubdirectory("taskrecovery-instances-");
        var file = $"Data Source={Path.Combine(folder.FullName, "tasks.db")}";
        var builder = NewBuilder();
        AddWorkers<ShopName>(builder.Services.AddTaskRecovery().UsePostgreSql(_shop!.ConnectionString));
        AddWorkers<ReportsName>(builder.Services.AddTaskRecovery("reports", Patient).UseSqlite(file));
        using (var host = builder.Build())
        {
            await host.StartAsync(Cancellation);
            await Shop(host).EnqueueAsync(new Note(1), cancellationToken: Cancellation);
            await Reports(host).EnqueueAsync(new Note(2), cancellationToken: Cancellation);
            await UntilAsync(() => _runs.All.Count >= 2);

            await using var local = new SqliteConnection(file);
            await local.OpenAsync(Cancellation);
            await using var inFile = local.BeginTransaction(deferred: true);
            await using var connection = await OpenAsync(_shop!.ConnectionString);
            await using var onServer = await connection.BeginTransactionAsync(Cancellation);
            await Assert.ThrowsAsync<ArgumentException>(
                async () => await Shop(host).EnqueueAsync(new Note(3), inFile, cancellationToken: Cancellation));
            await Assert.ThrowsAsync<ArgumentException>(
                async () => await Reports(host).EnqueueAsync(new Note(4), onServer, cancellationToken: Cancellation));
            await inFile.CommitAsync(Cancellation);
            await onServer.CommitAsync(Cancellation);
            await host.StopAsync(Cancellation);
        }

        SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
        Assert.Equal(["Reports Note 2", "Shop Note 1"], _runs.All);
    }

    [Fact]
    public async Task Each_instance_has_two_connections_while_idle_and_none_after_the_stop()
    {
        using (var host = Build(_shop!.ConnectionString + ShortIdle, _reports!.ConnectionString + ShortIdle))
        {
            await host.StartAsync(Cancellation);
            await UntilAsync(async () => await CountAsync(_shop!) == 2 && await CountAsync(_reports!) == 2);
            await host.StopAsync(Cancellation);
        }

        await UntilAsync(async () => await CountAsync(_shop!) == 0 && await CountAsync(_reports!) == 0);
    }

    [Fact]
    public async Task An_instance_without_its_database_is_unhealthy_and_the_other_works()
    {
        var server = new NpgsqlConnectionStringBuilder(_reports!.ConnectionString);
        await using var proxy = new TcpProxy("127.0.0.1", server.Port);
        var address = new NpgsqlConnectionStringBuilder(_reports.ConnectionString) { Host = "127.0.0.1", Port = proxy.Port };
        using var host = Build(reports: address.ConnectionString);
        await host.StartAsync(Cancellation);
        var health = host.Services.GetRequiredService<HealthCheckService>();
        await UntilAsync(async () => (await health.CheckHealthAsync(Cancellation)).Status == HealthStatus.Healthy);

        using var refusing = new RefusingPort();
        proxy.Redirect("127.0.0.1", refusing.Number);
        await UntilAsync(async () => await StatusAsync("taskrecovery-reports") == HealthStatus.Unhealthy);
        await Shop(host).EnqueueAsync(new Note(1), cancellationToken: Cancellation);
        await UntilAsync(() => _runs.All.Contains("Shop Note 1"));
        Assert.Equal(HealthStatus.Healthy, await StatusAsync("taskrecovery"));

        proxy.Redirect("127.0.0.1", server.Port);
        await UntilAsync(async () => await Record.ExceptionAsync(
            async () => await Reports(host).EnqueueAsync(new Note(2), new EnqueueOptions { UniqueKey = "2" }, Cancellation)) is null);
        await UntilAsync(() => _runs.All.Contains("Reports Note 2"));
        await UntilAsync(async () => await StatusAsync("taskrecovery-reports") != HealthStatus.Unhealthy);
        await host.StopAsync(Cancellation);

        async Task<HealthStatus> StatusAsync(string check) => (await health.CheckHealthAsync(Cancellation)).Entries[check].Status;
    }

    /// <summary>docs/deployment.md: how a queue is moved to another instance.</summary>
    [Fact]
    public async Task A_queue_moves_and_each_entry_runs_once()
    {
        using (var host = Build())
        {
            await host.StartAsync(Cancellation);
            var (old, now) = (Shop(host), Reports(host));
            await old.EnqueueAsync(new Note(1_001), new EnqueueOptions { RunAfter = TimeSpan.FromSeconds(1) }, Cancellation);
            await old.EnqueueAsync(new Note(1_002, FailsFirst: true), cancellationToken: Cancellation);
            await old.EnqueueAsync(new Note(1_003, FailsFirst: true, HasStep: true), cancellationToken: Cancellation);
            await old.EnqueueAsync(new Note(1_004), new EnqueueOptions { UniqueKey = "key" }, Cancellation);
            await now.EnqueueAsync(new Note(1_004), new EnqueueOptions { UniqueKey = "key" }, Cancellation);
            await Task.WhenAll(Enumerable.Range(0, 100).Select(number => (number < 50 ? old : now).EnqueueAsync(
                new Note(number), cancellationToken: Cancellation).AsTask()));
            await UntilAsync(async () => (await old.ListAsync(new EntryFilter { Limit = 200 }, Cancellation)).Entries.All(
                static entry => entry.State == EntryState.Completed));
            await host.StopAsync(Cancellation);
        }

        using (var host = Build(shopWorks: false))
        {
            await host.StartAsync(Cancellation);
            await Reports(host).EnqueueAsync(new Note(100), cancellationToken: Cancellation);
            await UntilAsync(() => _runs.All.Count >= 106);
            await host.StopAsync(Cancellation);
        }

        IEnumerable<string> expected =
        [
            .. Enumerable.Range(1_001, 4).Concat(Enumerable.Range(0, 50)).Select(static number => $"Shop Note {number}"),
            .. Enumerable.Range(50, 51).Append(1_004).Select(static number => $"Reports Note {number}"),
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), _runs.All);
        Assert.Equal(1, _runs.Steps);
    }

    [Fact]
    public async Task The_context_of_another_instance_is_refused_by_the_extension()
    {
        var builder = NewBuilder();
        builder.Services.AddDbContext<EfCoreTests.ShopContext>(options => options.UseNpgsql(_reports!.ConnectionString));
        builder.Services.AddTaskRecovery().UsePostgreSql(_shop!.ConnectionString).AddKind<Note>();
        builder.Services.AddTaskRecovery("reports").UsePostgreSql(_reports!.ConnectionString).AddKind<Note>();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EfCoreTests.ShopContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);

        await Assert.ThrowsAsync<ArgumentException>(async () => await db.EnqueueAsync(new Note(1), cancellationToken: Cancellation));
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(0L, await ScalarAsync<long>(_shop!, "select count(*) from taskrecovery.entries"));
        Assert.Equal(0L, await ScalarAsync<long>(_reports!, "select count(*) from taskrecovery.entries"));
        await host.StopAsync(Cancellation);
    }

    private static IJobQueue Shop(IHost host) => host.Services.GetRequiredService<IJobQueue>();

    private static IJobQueue Reports(IHost host) => host.Services.GetRequiredKeyedService<IJobQueue>("reports");

    private HostApplicationBuilder NewBuilder()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_runs);
        return builder;
    }

    private IHost Build(string? shop = null, string? reports = null, bool shopWorks = true)
    {
        var builder = NewBuilder();
        var first = builder.Services.AddTaskRecovery().UsePostgreSql(shop ?? _shop!.ConnectionString);
        _ = shopWorks ? AddWorkers<ShopName>(first) : first.AddKind<Note>();
        AddWorkers<ReportsName>(
            builder.Services.AddTaskRecovery("reports", Patient).UsePostgreSql(reports ?? _reports!.ConnectionString));
        builder.Services.AddHealthChecks().AddTaskRecovery().AddTaskRecovery("reports");
        return builder.Build();
    }

    private static TaskRecoveryBuilder AddWorkers<TWhere>(TaskRecoveryBuilder builder) => builder
        .AddWorker<Note, NoteWorker<TWhere>>(static options => options.RetryBase = TimeSpan.FromMilliseconds(1))
        .AddWorker<Letter, LetterWorker<TWhere>>();

    // A named instance has options of its own.
    private static void Patient(TaskRecoveryOptions options)
        => (options.Node.Lease, options.Node.Grace) = (TimeSpan.FromMinutes(3), PatientNodes.Grace);

    private static async Task AssertRefusedAsync(IJobQueue queue, PostgresDatabase database)
    {
        await using var connection = await OpenAsync(database.ConnectionString);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var withKey = new EnqueueOptions { UniqueKey = "key" };

        await Assert.ThrowsAsync<ArgumentException>(
            async () => await queue.EnqueueAsync(new Note(1), transaction, cancellationToken: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await queue.EnqueueAsync(new Note(1), transaction, withKey, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await queue.EnqueueManyAsync(
            [EnqueueRequest.Create(new Note(1)), EnqueueRequest.Create(new Note(2), withKey)], transaction, Cancellation));
        await transaction.CommitAsync(Cancellation);
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false;Application Name=test");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static Task<long> CountAsync(PostgresDatabase database) => ScalarAsync<long>(
        database,
        "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'taskrecovery %'");

    private static async Task ExecuteAsync(PostgresDatabase database, string statement)
    {
        await using var connection = await OpenAsync(database.ConnectionString);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<T> ScalarAsync<T>(PostgresDatabase database, string statement)
    {
        await using var connection = await OpenAsync(database.ConnectionString);
        await using var command = new NpgsqlCommand(statement, connection);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var since = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(20, Cancellation))
        {
            Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0, 120);
        }
    }

    [JobKind("instance-note")]
    private sealed record Note(int Number, bool FailsFirst = false, bool HasStep = false);

    [JobKind("instance-letter")]
    private sealed record Letter(int Number);

    private sealed record ShopName;

    private sealed record ReportsName;

    private sealed class NoteWorker<TWhere>(Runs runs) : IJobWorker<Note>
    {
        public async Task WorkAsync(WorkContext<Note> context, CancellationToken cancellationToken)
        {
            if (context.Args.HasStep)
            {
                await context.StepAsync("step", _ => Task.FromResult(runs.CountStep()), cancellationToken);
            }

            if (context.Args.FailsFirst && context.Attempt == 1)
            {
                throw new InvalidOperationException("The first attempt fails.");
            }

            runs.Add<TWhere>($"Note {context.Args.Number}");
        }
    }

    private sealed class LetterWorker<TWhere>(Runs runs) : IJobWorker<Letter>
    {
        public Task WorkAsync(WorkContext<Letter> context, CancellationToken cancellationToken)
        {
            runs.Add<TWhere>($"Letter {context.Args.Number}");
            return Task.CompletedTask;
        }
    }

    /// <summary>What ran, and in which instance.</summary>
    private sealed class Runs
    {
        private readonly ConcurrentQueue<string> _texts = new();
        private int _steps;

        public IReadOnlyList<string> All => [.. _texts.Order(StringComparer.Ordinal)];

        public int Steps => Volatile.Read(ref _steps);

        public void Add<TWhere>(string text)
            => _texts.Enqueue($"{typeof(TWhere).Name.Replace("Name", "", StringComparison.Ordinal)} {text}");

        public int CountStep() => Interlocked.Increment(ref _steps);
    }
}
