using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using TaskRecovery.Testing;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>An application under test that keeps its PostgreSQL store. Each test has a database, and each of its hosts a
/// schema.</summary>
public sealed class KeptStoreTests : IAsyncLifetime
{
    private readonly List<int> _seen = [];
    private readonly List<IHost> _hosts = [];
    private PostgresDatabase? _database;
    private NpgsqlDataSource? _source;
    private Func<WorkContext<Pay>, CancellationToken, Task> _work = static (_, _) => Task.CompletedTask;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync("kept");
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync(CancellationToken.None);
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        await _source!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Entries_of_the_application_s_own_transaction_are_seen_when_it_commits()
    {
        var (queue, test) = await StartAsync();
        await using var connection = await _source!.OpenConnectionAsync(Cancellation);
        await using (var lost = await connection.BeginTransactionAsync(Cancellation))
        {
            await queue.EnqueueAsync(new Pay(1), lost, cancellationToken: Cancellation);
            await lost.RollbackAsync(Cancellation);
        }

        await test.ShouldNotHaveEnqueuedAsync<Pay>(cancellationToken: Cancellation);
        await using (var kept = await connection.BeginTransactionAsync(Cancellation))
        {
            await queue.EnqueueAsync(new Pay(2), kept, cancellationToken: Cancellation);
            await kept.CommitAsync(Cancellation);
        }

        await test.ShouldHaveEnqueuedAsync<Pay>(pay => pay.Amount == 2, cancellationToken: Cancellation);
        await test.DrainAsync(cancellationToken: Cancellation);
        Assert.Equal([2], _seen);
    }

    [Fact]
    public async Task Each_schema_is_a_queue_of_its_own()
    {
        var (first, second) = (await StartAsync(), await StartAsync());

        await first.Queue.EnqueueAsync(new Pay(1), cancellationToken: Cancellation);

        Assert.Empty((await second.Test.DrainAsync(cancellationToken: Cancellation)).Runs);
        Assert.Single((await first.Test.DrainAsync(cancellationToken: Cancellation)).Runs);
    }

    [Fact]
    public async Task A_killed_node_s_entries_are_recovered()
    {
        var (queue, test) = await StartAsync();
        var steps = 0;
        _work = (context, token) => context.StepAsync("charge", _ => Task.FromResult(++steps), token);
        await queue.EnqueueAsync(new Pay(1), cancellationToken: Cancellation);

        await test.KillNodeAsync(at: Place.AfterStep("charge"), cancellationToken: Cancellation);
        await test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal((1, 2), (steps, _seen.Count));
    }

    [Fact]
    public async Task The_time_of_the_database_can_t_be_moved()
    {
        var (_, test) = await StartAsync();

        var ofAdvance = await Assert.ThrowsAsync<InvalidOperationException>(
            () => test.AdvanceAsync(TimeSpan.FromDays(1), cancellationToken: Cancellation));
        var ofRetries = await Assert.ThrowsAsync<InvalidOperationException>(
            () => test.DrainAsync(new DrainOptions { IncludeRetries = true }, Cancellation));

        Assert.Contains("can't be moved", ofAdvance.Message, StringComparison.Ordinal);
        Assert.Contains("can't be moved", ofRetries.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_application_s_own_store_is_not_reset()
    {
        var (queue, test) = await StartAsync();
        await queue.EnqueueAsync(new Pay(1), cancellationToken: Cancellation);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => test.ResetAsync(Cancellation));

        Assert.Contains("removes nothing", error.Message, StringComparison.Ordinal);
        await test.ShouldHaveEnqueuedAsync<Pay>(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task A_transaction_that_a_worker_leaves_open_fails_the_drain_although_the_clock_stands_still()
    {
        var (queue, test) = await StartAsync(options => options.Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow()));
        await using var own = await _source!.OpenConnectionAsync(Cancellation);
        _work = async (context, token) => await context.CompleteAsync(await own.BeginTransactionAsync(token), token);
        await queue.EnqueueAsync(new Pay(1), cancellationToken: Cancellation);

        // A busy machine may not have come so far after three seconds.
        DrainException stuck;
        var clock = Stopwatch.StartNew();
        do
        {
            stuck = await Assert.ThrowsAsync<DrainException>(
                () => test.DrainAsync(new DrainOptions { Timeout = TimeSpan.FromSeconds(3) }, Cancellation));
        }
        while (!stuck.Message.Contains("a transaction that is still open", StringComparison.Ordinal)
            && clock.Elapsed < TimeSpan.FromMinutes(2));

        Assert.Contains("a transaction that is still open", stuck.Message, StringComparison.Ordinal);
        Assert.Contains("kind pay", stuck.Message, StringComparison.Ordinal);
        await own.CloseAsync();
        await test.DrainAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task A_node_that_could_not_leave_has_released_its_lock()
    {
        var (_, test) = await StartAsync();
        await test.DrainAsync(cancellationToken: Cancellation);
        var schema = new PostgreSqlOptions().Schema;
        await using (var refuse = _source!.CreateCommand($"""
            create function {schema}.refuse() returns trigger language plpgsql
                as 'begin raise exception ''refused'' using errcode = ''53100''; end';
            create trigger refuse before update on {schema}.nodes for each row when (new.stopped) execute function {schema}.refuse()
            """))
        {
            await refuse.ExecuteNonQueryAsync(Cancellation);
        }

        await test.RestartAsync(Cancellation);

        // The node after it has one.
        await using var count = _source!.CreateCommand("""
            select count(*) from pg_locks l join pg_database d on d.oid = l.database
            where l.locktype = 'advisory' and d.datname = current_database()
            """);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while ((long)(await count.ExecuteScalarAsync(limit.Token))! != 1)
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private async Task<(IJobQueue Queue, TaskRecoveryTest Test)> StartAsync(Action<TaskRecoveryTestingOptions>? configure = null)
    {
        // The copied tables are in the first host's schema.
        var schema = _hosts.Count == 0 ? new PostgreSqlOptions().Schema : $"kept_{_hosts.Count}";
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(this);
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(_database!.ConnectionString, options => options.Schema = schema)
            .AddWorker<Pay, PayWorker>();
        builder.Services.AddTaskRecoveryTesting(options =>
        {
            options.Store = TestStore.Keep;
            configure?.Invoke(options);
        });
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync(Cancellation);
        return (host.Services.GetRequiredService<IJobQueue>(), host.Services.GetTaskRecoveryTest());
    }

    [JobKind("pay")]
    private sealed record Pay(int Amount);

    private sealed class PayWorker(KeptStoreTests test) : IJobWorker<Pay>
    {
        public Task WorkAsync(WorkContext<Pay> context, CancellationToken cancellationToken)
        {
            test._seen.Add(context.Args.Amount);
            return test._work(context, cancellationToken);
        }
    }
}
