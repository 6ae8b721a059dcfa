using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;   // GetDbTransaction
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of docs/ef-core.md.</summary>
public static class EfCorePage
{
    public static void Add(HostApplicationBuilder builder, string connectionString)
    {
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString + ";Cancellation Timeout=-1"));
        builder.Services.AddDbContext<ShopContext>((services, options) => options.UseNpgsql(
            services.GetRequiredService<NpgsqlDataSource>()));
        builder.Services.AddTaskRecovery().UsePostgreSql().AddWorker<SendInvoice, SendInvoiceWorker>();
    }

    public static void UseStrategy(DbContextOptionsBuilder options, NpgsqlDataSource dataSource)
    {
        options.UseNpgsql(dataSource, npgsql => npgsql.ExecutionStrategy(dependencies => new RetryingStrategy(dependencies)));
    }

    public static async Task SaveInOneCallAsync(ShopContext db, Order order, CancellationToken cancellationToken)
    {
        db.Orders.Add(order);
        await db.SaveChangesAndEnqueueAsync(new SendInvoice(order.Id), cancellationToken);
    }

    public static async Task SaveInTransactionAsync(ShopContext db, IJobQueue queue, Order order, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);

        db.Orders.Add(order);
        await db.SaveChangesAsync(cancellationToken);
        await queue.EnqueueAsync(new SendInvoice(order.Id), transaction.GetDbTransaction(), cancellationToken);

        await transaction.CommitAsync(cancellationToken);
    }

    public static async Task SaveWithStrategyAsync(ShopContext db, IJobQueue queue, string customer, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();   // chosen before the block, so that every repetition means the same order
        await db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
            async token =>
            {
                db.ChangeTracker.Clear();   // a repetition must not see the entities of the attempt that failed
                db.Orders.Add(new Order { Id = id, Customer = customer });
                await db.SaveChangesAsync(token);
                await queue.EnqueueAsync(new SendInvoice(id), db.Database.CurrentTransaction!.GetDbTransaction(), token);
            },
            token => db.Orders.AsNoTracking().AnyAsync(order => order.Id == id, token),   // was it committed?
            cancellationToken);
    }
}

public sealed class RetryingStrategy(ExecutionStrategyDependencies dependencies) : NpgsqlRetryingExecutionStrategy(dependencies)
{
    protected override bool ShouldRetryOn(Exception? exception)
        => exception is StoreUnavailableException || base.ShouldRetryOn(exception);
}

public sealed class SendInvoiceWorker(ShopContext db) : IJobWorker<SendInvoice>
{
    public Task WorkAsync(WorkContext<SendInvoice> context, CancellationToken cancellationToken)
        => db.Database.CreateExecutionStrategy().ExecuteAsync(
            async token =>
            {
                db.ChangeTracker.Clear();
                await using var transaction = await db.Database.BeginTransactionAsync(token);

                var order = await db.Orders.SingleAsync(order => order.Id == context.Args.OrderId, token);
                order.Invoiced = true;
                await db.SaveChangesAsync(token);
                await context.CompleteAsync(transaction.GetDbTransaction(), token);

                await transaction.CommitAsync(token);
            },
            cancellationToken);
}

[JobKind("invoice.send")]
public sealed record SendInvoice(Guid OrderId);

public sealed class Order
{
    public Guid Id { get; init; } = Guid.CreateVersion7();

    public required string Customer { get; init; }

    public bool Invoiced { get; set; }
}

public sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();
}

public sealed class AuditedContext(DbContextOptions<AuditedContext> options) : DbContext(options)
{
    public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
        => base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
}
