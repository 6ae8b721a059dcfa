using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using TaskRecovery.WebSample;
using Shop = TaskRecovery.WebSample.Shop;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The workers and jobs of the web sample.</summary>
public sealed class WebSampleTests : IAsyncLifetime
{
    private static readonly string[] Orders = ["order.confirm"];
    private static readonly string[] Stock = ["task:stock.sync"];

    private readonly QuickGateway _gateway = new();
    private IHost? _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private TaskRecoveryTest Test => _host!.Services.GetTaskRecoveryTest();

    public async ValueTask InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        Shop.AddTasks(builder.Services, new ShopOptions { Port = 0, Data = "unused", HasCustomers = false });
        builder.Services.Replace(ServiceDescriptor.Singleton<Gateway>(_gateway));
        builder.Services.AddTaskRecoveryTesting();
        _host = builder.Build();
        await _host.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    [Theory]
    [InlineData("check-order")]
    [InlineData("reserve-stock")]
    [InlineData("charge-card")]
    [InlineData("tell-customer")]
    public async Task An_order_is_charged_once_and_its_customer_told_once_after_any_step_a_node_dies_at(string step)
    {
        await OrderAsync(12.50m);

        await Test.KillNodeAsync(at: Place.AfterStep(step), cancellationToken: Cancellation);
        await Test.DrainAsync(new DrainOptions { Kinds = Orders }, Cancellation);

        Assert.Single(_gateway.Calls, call => call == "The bank");
        await Test.ShouldHaveEnqueuedAsync<SendMail>(mail => mail.To == "ada@example.org", count: 1, Cancellation);
    }

    [Fact]
    public async Task An_order_with_nothing_to_pay_fails_before_anything_is_done()
    {
        var entry = await OrderAsync(0);

        var failed = await Assert.ThrowsAsync<DrainException>(() => Test.DrainAsync(new DrainOptions { Kinds = Orders }, Cancellation));

        Assert.Contains("Order 7 has nothing to pay", failed.Message, StringComparison.Ordinal);
        Assert.Equal(entry, Assert.Single(failed.Failures).EntryId);
        Assert.Empty(_gateway.Calls);
    }

    [Fact]
    public async Task The_stock_is_read_every_15_seconds()
    {
        var drained = await Test.AdvanceAsync(TimeSpan.FromMinutes(1), new DrainOptions { Kinds = Stock }, Cancellation);

        Assert.Equal(5, drained.Runs.Count);
        Assert.Equal(5 * 8, _gateway.Calls.Count);
    }

    [Fact]
    public Task Stock_that_was_read_is_not_read_again_after_a_crash()
        => TaskHandlerTest.CrashEverywhereAsync(
            world: static () => new QuickGateway(),
            handler: static gateway => new SyncStockHandler(gateway),
            args: new SyncStock("warehouse-1"),
            check: static gateway => Assert.Equal(8, gateway.Calls.Count),
            cancellationToken: Cancellation);

    [Fact]
    public async Task A_report_continues_at_the_page_that_was_stored()
    {
        var handler = new WriteReportHandler(_gateway, NullLogger<WriteReportHandler>.Instance);

        var run = await TaskHandlerTest.RunAsync(
            handler, new WriteReport(400), options => options with { Crashes = 1, Checkpoint = 390 }, Cancellation);

        run.ShouldComplete();
        Assert.Equal(10, _gateway.Calls.Count);
        Assert.Equal(400, run.Checkpoint<int>());
    }

    private async Task<long> OrderAsync(decimal total)
        => (await _host!.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new ConfirmOrder(7, "ada@example.org", total), cancellationToken: Cancellation)).Id;
}
