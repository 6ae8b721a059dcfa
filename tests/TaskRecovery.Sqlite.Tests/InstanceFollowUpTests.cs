using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>In which instance a worker that works for several of them enqueues.</summary>
public sealed class InstanceFollowUpTests : IDisposable
{
    private readonly TemporaryDatabase _shop = new();
    private readonly TemporaryDatabase _eu = new();
    private readonly Invoiced _invoiced = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _shop.Dispose();
        _eu.Dispose();
    }

    [Fact]
    public async Task A_worker_finds_the_queue_of_the_instance_that_runs_it()
    {
        using var host = Host(static shop => shop.AddWorker<Order, OrderWorker>().AddWorker<Invoice, InvoiceWorker>());
        await host.StartAsync(Cancellation);
        var (shop, eu) = (host.Services.GetRequiredService<IJobQueue>(), host.Services.GetRequiredKeyedService<IJobQueue>("eu"));

        await eu.EnqueueAsync(new Order(), cancellationToken: Cancellation);
        var first = await _invoiced.NextAsync();
        await shop.EnqueueAsync(new Order(), cancellationToken: Cancellation);
        var second = await _invoiced.NextAsync();
        await host.StopAsync(Cancellation);

        Assert.Equal(("eu", null), (first, second));
        var invoices = new EntryFilter { Kind = "test.invoice" };
        Assert.Single((await eu.ListAsync(invoices, Cancellation)).Entries);
        Assert.Single((await shop.ListAsync(invoices, Cancellation)).Entries);
    }

    [Fact]
    public async Task A_kind_that_only_another_instance_knows_and_runs_is_refused()
    {
        using var host = Host(static shop => shop.AddKind<Order>());
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        var refused = await Assert.ThrowsAsync<KindNotRegisteredException>(
            async () => await queue.EnqueueAsync(new Invoice(), cancellationToken: Cancellation));
        var several = await Assert.ThrowsAsync<KindNotRegisteredException>(
            async () => await queue.EnqueueManyAsync([EnqueueRequest.Create(new Invoice())], cancellationToken: Cancellation));
        await queue.EnqueueAsync(new Unknown(), cancellationToken: Cancellation);
        await host.StopAsync(Cancellation);

        Assert.Equal(typeof(Invoice), refused.ArgsType);
        Assert.Contains("the instance 'eu'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("AddKind<Invoice>()", refused.Message, StringComparison.Ordinal);
        Assert.Equal(refused.Message, several.Message);
        Assert.Equal("test.unknown", Assert.Single((await queue.ListAsync(cancellationToken: Cancellation)).Entries).Kind);
    }

    [Fact]
    public async Task A_kind_that_is_registered_may_be_enqueued_beside_an_instance_that_runs_it()
    {
        using var host = Host(static shop => shop.AddKind<Invoice>());
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        await queue.EnqueueAsync(new Invoice(), cancellationToken: Cancellation);
        await host.StopAsync(Cancellation);

        Assert.Single((await queue.ListAsync(cancellationToken: Cancellation)).Entries);
    }

    private IHost Host(Func<TaskRecoveryBuilder, TaskRecoveryBuilder> register)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_invoiced);
        register(builder.Services.AddTaskRecovery().UseSqlite(_shop.ConnectionString));
        builder.Services.AddTaskRecovery("eu")
            .UseSqlite(_eu.ConnectionString)
            .AddWorker<Order, OrderWorker>()
            .AddWorker<Invoice, InvoiceWorker>()
            .InstanceServices.AddPatience();
        return builder.Build();
    }

    [JobKind("test.order")]
    private sealed record Order;

    [JobKind("test.invoice")]
    private sealed record Invoice;

    [JobKind("test.unknown")]
    private sealed record Unknown;

    private sealed class OrderWorker : IJobWorker<Order>
    {
        public async Task WorkAsync(WorkContext<Order> context, CancellationToken cancellationToken)
            => await context.Services.GetRequiredKeyedService<IJobQueue>(context.Instance).EnqueueAsync(
                new Invoice(), cancellationToken: cancellationToken);
    }

    private sealed class InvoiceWorker(Invoiced invoiced) : IJobWorker<Invoice>
    {
        public Task WorkAsync(WorkContext<Invoice> context, CancellationToken cancellationToken) => invoiced.AddAsync(context.Instance);
    }

    /// <summary>The instances that ran an invoice.</summary>
    private sealed class Invoiced
    {
        private readonly Channel<string?> _instances = Channel.CreateUnbounded<string?>();

        public async Task AddAsync(string? instance) => await _instances.Writer.WriteAsync(instance);

        public Task<string?> NextAsync() => _instances.Reader.ReadAsync(Cancellation).AsTask()
            .WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
    }
}
