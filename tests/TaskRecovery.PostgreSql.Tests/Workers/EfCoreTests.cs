using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>The code of docs/ef-core.md: entries in the transaction of a context, with an execution strategy that repeats.</summary>
public sealed partial class EfCoreTests : IAsyncLifetime
{
    private readonly Failures _failures = new();
    private PostgresDatabase? _database;
    private IHost? _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobQueue Queue => _host!.Services.GetRequiredService<IJobQueue>();

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync("ef");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_ => NpgsqlDataSource.Create(_database.ConnectionString));
        builder.Services.AddSingleton(_failures);
        builder.Services.AddDbContext<ShopContext>((services, options) => options
            .UseNpgsql(
                services.GetRequiredService<NpgsqlDataSource>(),
                npgsql => npgsql.ExecutionStrategy(dependencies => new RetryingStrategy(dependencies)))
            .AddInterceptors(new LostAnswer(_failures)));
        builder.Services.AddTaskRecovery().UsePostgreSql().AddWorker<SendInvoice, SendInvoiceWorker>();
        _host = builder.Build();

        // EnsureCreatedAsync creates nothing in a database that has tables.
        await InContextAsync(db => db.Database.ExecuteSqlRawAsync(db.Database.GenerateCreateScript(), Cancellation));
        await _host.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.StopAsync(Cancellation);
        _host.Dispose();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task A_block_that_fails_after_its_enqueue_is_repeated_and_stores_one_entry()
    {
        _failures.AfterEnqueue = new StoreUnavailableException("The answer was lost.");

        var order = await OrderAsync();

        var page = await Queue.ListAsync(cancellationToken: Cancellation);
        Assert.Equal(2, _failures.Blocks);
        Assert.Single(page.Entries);
        Assert.Equal(order, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Id);
    }

    [Fact]
    public async Task The_effects_of_a_worker_and_its_outcome_commit_together()
    {
        await OrderAsync();

        var entry = await EndedAsync();

        Assert.Equal(EntryState.Completed, entry.State);
        Assert.Equal(1, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_stores_the_effects_once()
    {
        _failures.AfterCommit = new NpgsqlException("The answer was lost.", new IOException());
        await OrderAsync();

        var entry = await EndedAsync();
        await _host!.StopAsync(Cancellation);

        Assert.Equal((EntryState.Completed, 2), (entry.State, _failures.Runs));
        Assert.Equal(1, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    [Fact]
    public async Task Changes_and_their_entry_are_saved_by_one_call()
    {
        var result = await InContextAsync(db =>
        {
            db.Orders.Add(new Order { Id = Guid.CreateVersion7() });
            return db.SaveChangesAndEnqueueAsync(new SendInvoice(db.Orders.Local.Single().Id), cancellationToken: Cancellation);
        });

        Assert.Equal(result.Id, (await EndedAsync()).Id);
        Assert.Equal(1, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    [Fact]
    public async Task A_commit_of_both_whose_answer_was_lost_is_not_repeated()
    {
        _failures.AnswerOfCommit = new StoreUnavailableException("The answer was lost.");

        await InContextAsync(db =>
        {
            db.Orders.Add(new Order { Id = Guid.CreateVersion7() });
            return db.SaveChangesAndEnqueueAsync(new SendInvoice(db.Orders.Local.Single().Id), cancellationToken: Cancellation);
        });

        Assert.Null(_failures.AnswerOfCommit);
        Assert.Single((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
        Assert.Equal(1, await InContextAsync(db => db.Orders.CountAsync(Cancellation)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_lost_answer_is_noticed_without_a_strategy_that_repeats_and_while_the_server_is_away(int outages)
    {
        await using var db = PlainContext(ask => ask < outages ? throw new StoreUnavailableException("The server restarts.") : true);
        _failures.AnswerOfCommit = new NpgsqlException("The answer was lost.", new IOException());
        db.Orders.Add(new Order { Id = Guid.CreateVersion7() });

        var stored = await db.SaveChangesAndEnqueueAsync(new SendInvoice(db.Orders.Local.Single().Id), cancellationToken: Cancellation);

        Assert.Null(_failures.AnswerOfCommit);
        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Equal(stored.Id, Assert.Single((await Queue.ListAsync(cancellationToken: Cancellation)).Entries).Id);
        Assert.Equal(1, await InContextAsync(other => other.Orders.CountAsync(Cancellation)));
    }

    [Fact]
    public async Task A_store_that_is_being_repaired_is_asked_again_what_became_of_a_commit()
    {
        await using var db = PlainContext(ask => ask == 0 ? throw new StoreConfigurationException("The grants are being restored.") : true);
        _failures.AnswerOfCommit = new NpgsqlException("The answer was lost.", new IOException());
        db.Orders.Add(new Order { Id = Guid.CreateVersion7() });

        await db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation);

        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Single((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
    }

    [Fact]
    public async Task A_store_that_nobody_repairs_leaves_it_unknown_what_became_of_a_commit()
    {
        _failures.AnswerOfCommit = new NpgsqlException("The answer was lost.", new IOException());
        await using var db = PlainContext(static _ => throw new StoreConfigurationException("The role may not do this."));
        db.Orders.Add(new Order { Id = Guid.CreateVersion7() });

        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation));

        Assert.Contains("The role may not do this.", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_that_did_not_happen_is_repeated_by_the_strategy_and_reported_without_one()
    {
        var later = new EnqueueOptions { RunAfter = TimeSpan.FromHours(1) };
        _failures.BeforeCommit = new NpgsqlException("The connection is gone.", new IOException());
        await InContextAsync(db =>
        {
            db.Orders.Add(new Order { Id = Guid.CreateVersion7() });
            return db.SaveChangesAndEnqueueAsync(new SendInvoice(db.Orders.Local.Single().Id), later, Cancellation);
        });
        Assert.Equal(1, await InContextAsync(db => db.Orders.CountAsync(Cancellation)));

        _failures.BeforeCommit = new NpgsqlException("The connection is gone.", new IOException());
        await using var plain = PlainContext();
        plain.Orders.Add(new Order { Id = Guid.CreateVersion7() });
        var failure = await Record.ExceptionAsync(
            () => plain.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), later, Cancellation));

        Assert.IsType<NpgsqlException>(failure is InvalidOperationException ? failure.InnerException : failure);
        Assert.True(plain.ChangeTracker.HasChanges());
        Assert.Single((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
        Assert.Equal(1, await InContextAsync(db => db.Orders.CountAsync(Cancellation)));
    }

    [Fact]
    public async Task An_entry_that_would_not_be_kept_can_not_tell_whether_a_lost_commit_happened()
    {
        _failures.BeforeCommit = new NpgsqlException("The connection is gone.", new IOException());
        await using var db = PlainContext(options: new TaskRecoveryOptions { Retention = { Completed = TimeSpan.Zero } });
        db.Orders.Add(new Order { Id = Guid.CreateVersion7() });

        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation));

        Assert.Contains("RetentionOptions", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_that_is_in_progress_for_a_minute_is_neither_repeated_nor_reported_as_failed()
    {
        _failures.AnswerOfCommit = new NpgsqlException("The answer was lost.", new IOException());
        await using var db = PlainContext(static _ => null);
        db.Orders.Add(new Order { Id = Guid.CreateVersion7() });

        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation));

        Assert.Contains("still in progress", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_duplicate_can_not_tell_whether_a_lost_commit_happened()
    {
        var once = new EnqueueOptions { UniqueKey = "once", RunAfter = TimeSpan.FromHours(1) };
        await Queue.EnqueueAsync(new SendInvoice(Guid.NewGuid()), once, Cancellation);
        _failures.AnswerOfCommit = new StoreUnavailableException("The answer was lost.");

        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(() => InContextAsync(db =>
        {
            db.Orders.Add(new Order { Id = Guid.CreateVersion7() });
            return db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), once, Cancellation);
        }));

        Assert.Contains("the same unique key", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_enqueue_without_a_transaction_is_refused_with_the_remedy()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => InContextAsync(async db => await db.EnqueueAsync(new SendInvoice(Guid.NewGuid()), Cancellation)));

        Assert.Contains("BeginTransactionAsync", refused.Message, StringComparison.Ordinal);
        Assert.Empty((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
    }

    [Fact]
    public async Task A_context_that_knows_no_queue_is_refused_with_the_remedy()
    {
        await using var db = new ShopContext(new DbContextOptionsBuilder<ShopContext>().UseNpgsql("Host=nowhere.invalid").Options);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation));

        Assert.Contains("AddDbContext", refused.Message, StringComparison.Ordinal);
    }

    // A context with EF Core's default execution strategy. Its time moves only by what is waited for. The answers about its commit
    // are given by the number of the question; null for those of the store.
    private ShopContext PlainContext(Func<int, bool?>? answer = null, TaskRecoveryOptions? options = null)
    {
        var store = System.Reflection.DispatchProxy.Create<IEntryStore, AskedStore>();
        ((AskedStore)store).Inner = _host!.Services.GetRequiredService<IEntryStore>();
        ((AskedStore)store).Answer = answer;
        return new ShopContext(new DbContextOptionsBuilder<ShopContext>()
            .UseNpgsql(_host.Services.GetRequiredService<NpgsqlDataSource>())
            .AddInterceptors(new LostAnswer(_failures))
            .UseApplicationServiceProvider(new ServiceCollection().AddSingleton(Queue).AddSingleton(store)
                .AddSingleton<TimeProvider>(new HurriedTime())
                .AddSingleton(Options.Create(options ?? new TaskRecoveryOptions())).BuildServiceProvider())
            .Options);
    }

    private async Task<Guid> OrderAsync()
    {
        var id = Guid.CreateVersion7();
        await InContextAsync(async db =>
        {
            await db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
                async token =>
                {
                    _failures.Blocks++;
                    db.ChangeTracker.Clear();
                    db.Orders.Add(new Order { Id = id });
                    await db.SaveChangesAsync(token);
                    await db.EnqueueAsync(new SendInvoice(id), cancellationToken: token);
                    Failures.ThrowOnce(ref _failures.AfterEnqueue);
                },
                token => db.Orders.AsNoTracking().AnyAsync(order => order.Id == id, token),
                Cancellation);
            return true;
        });
        return id;
    }

    private async Task<T> InContextAsync<T>(Func<ShopContext, Task<T>> call)
    {
        await using var scope = _host!.Services.CreateAsyncScope();
        return await call(scope.ServiceProvider.GetRequiredService<ShopContext>());
    }

    private async Task<QueueEntry> EndedAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await timer.WaitForNextTickAsync(limit.Token))
        {
            if ((await Queue.ListAsync(cancellationToken: limit.Token)).Entries is [{ EndedAt: not null } entry])
            {
                return entry;
            }
        }

        throw new TimeoutException("The entry has not ended.");
    }
}
