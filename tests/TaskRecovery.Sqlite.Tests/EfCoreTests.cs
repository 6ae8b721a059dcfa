using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Entries and the rows of a context in one transaction of one file, as docs/ef-core.md says.</summary>
public sealed class EfCoreTests : IAsyncLifetime
{
    private readonly TemporaryDatabase _database = new();
    private readonly Orders _orders = new();
    private IHost? _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobQueue Queue => _host!.Services.GetRequiredService<IJobQueue>();

    public async ValueTask InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_orders);
        builder.Services.AddDbContext<ShopContext>(options => options.UseSqlite(_database.ConnectionString));
        builder.Services.AddTaskRecovery()
            .UseSqlite(_database.ConnectionString)
            .AddWorker<SendInvoice, SendInvoiceWorker>(options => options.MaxAttempts = 1);
        _host = builder.Build();
        await InContextAsync(db => db.Database.EnsureCreatedAsync(Cancellation));
        await _host.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.StopAsync(Cancellation);
        _host.Dispose();
        _database.Dispose();
    }

    [Fact]
    public async Task An_order_and_its_entry_are_stored_together()
    {
        var order = await OrderAsync();

        Assert.Equal(order, await _orders.NextAsync());
        Assert.Equal(EntryState.Completed, (await EndedAsync()).State);
        Assert.Equal(1, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    [Fact]
    public async Task Nothing_of_a_transaction_that_was_not_committed_is_stored()
    {
        await InContextAsync(async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);
            db.Orders.Add(new Order { Id = Guid.CreateVersion7() });
            return await db.SaveChangesAndEnqueueAsync(new SendInvoice(Guid.NewGuid()), cancellationToken: Cancellation);
        });

        Assert.Empty((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
        Assert.False(await InContextAsync(db => db.Orders.AnyAsync(Cancellation)));
    }

    [Fact]
    public async Task An_order_that_can_not_be_saved_has_no_entry()
    {
        var id = Guid.CreateVersion7();
        await InContextAsync(async db =>
        {
            db.Orders.Add(new Order { Id = id });
            return await db.SaveChangesAsync(Cancellation);
        });

        await Assert.ThrowsAsync<DbUpdateException>(() => InContextAsync(db =>
        {
            db.Orders.Add(new Order { Id = id });
            return db.SaveChangesAndEnqueueAsync(new SendInvoice(id), cancellationToken: Cancellation);
        }));

        Assert.Empty((await Queue.ListAsync(cancellationToken: Cancellation)).Entries);
    }

    [Fact]
    public async Task Effects_of_a_worker_that_throws_before_its_commit_are_not_stored()
    {
        _orders.Failure = new IOException("The printer is on fire.");

        await OrderAsync();

        Assert.Equal(EntryState.Failed, (await EndedAsync()).State);
        Assert.Equal(0, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    [Fact]
    public async Task An_entry_that_has_ended_can_not_complete_again_and_its_effects_are_rolled_back()
    {
        _orders.CompletesTwice = true;

        await OrderAsync();

        Assert.Equal(EntryState.Completed, (await EndedAsync()).State);
        Assert.IsType<ClaimLostException>(await _orders.Second.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
        Assert.Equal(1, (await InContextAsync(db => db.Orders.SingleAsync(Cancellation))).Invoices);
    }

    private Task<Guid> OrderAsync() => InContextAsync(async db =>
    {
        var order = new Order { Id = Guid.CreateVersion7() };
        db.Orders.Add(order);
        await db.SaveChangesAndEnqueueAsync(new SendInvoice(order.Id), cancellationToken: Cancellation);
        return order.Id;
    });

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

    public sealed class Order
    {
        public Guid Id { get; init; }

        public int Invoices { get; set; }
    }

    public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
    {
        public DbSet<Order> Orders => Set<Order>();
    }

    [JobKind("test.send-invoice")]
    public sealed record SendInvoice(Guid OrderId);

    private sealed class SendInvoiceWorker(ShopContext db, Orders orders) : IJobWorker<SendInvoice>
    {
        public async Task WorkAsync(WorkContext<SendInvoice> context, CancellationToken cancellationToken)
        {
            await InvoiceAsync(context, cancellationToken);
            await orders.AddAsync(context.Args.OrderId);
            if (orders.CompletesTwice)
            {
                orders.Second.SetResult(await Record.ExceptionAsync(() => InvoiceAsync(context, cancellationToken)));
            }
        }

        private async Task InvoiceAsync(WorkContext<SendInvoice> context, CancellationToken cancellationToken)
        {
            db.ChangeTracker.Clear();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var order = await db.Orders.SingleAsync(order => order.Id == context.Args.OrderId, cancellationToken);
            order.Invoices++;
            await db.SaveChangesAsync(cancellationToken);
            if (orders.Failure is { } failure)
            {
                throw failure;
            }

            await context.CompleteAsync(db, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    /// <summary>What the worker is to do, and the orders that have an invoice.</summary>
    private sealed class Orders
    {
        private readonly Channel<Guid> _invoiced = Channel.CreateUnbounded<Guid>();

        public Exception? Failure { get; set; }

        public bool CompletesTwice { get; set; }

        public TaskCompletionSource<Exception?> Second { get; } = new();

        public async Task AddAsync(Guid order) => await _invoiced.Writer.WriteAsync(order);

        public Task<Guid> NextAsync() => _invoiced.Reader.ReadAsync(Cancellation).AsTask()
            .WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
    }
}
