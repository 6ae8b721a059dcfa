using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Testing.Tests.Hosts;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The recipes about how often something runs, with real deaths. RecipeTests compares the page with this file.</summary>
public sealed class RecipeOnceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_card_is_charged_at_most_once_wherever_the_process_dies()
    {
        foreach (var (place, charges, state) in ((Place, int, EntryState)[])
            [
                (Place.Start, 1, EntryState.Completed),
                (Place.InStep("begun"), 1, EntryState.Completed),
                (Place.AtEndOfStep("begun"), 1, EntryState.Completed),
                (Place.AfterStep("begun"), 0, EntryState.Failed),
                (Place.End, 1, EntryState.Failed),
            ])
        {
            var cards = new Cards();
            await using var application = await TestApplication.StartAsync(
                static (_, _) => Task.CompletedTask,
                register: builder =>
                {
                    builder.Services.AddSingleton<ICards>(cards);
                    builder.AddWorker<ChargeCard, ChargeCardWorker>(options => options.MaxAttempts = 1);
                });
            var (id, _) = await application.Queue.EnqueueAsync(new ChargeCard(7), cancellationToken: Cancellation);

            await application.Test.KillNodeAsync(at: place, cancellationToken: Cancellation);
            await application.Test.DrainAsync(new DrainOptions { AllowFailures = true }, Cancellation);

            var entry = (await application.Queue.FindAsync(id, Cancellation))!;
            Assert.Equal((place, charges, state), (place, cards.Charged.Count, entry.State));
        }
    }

    [Fact]
    public async Task A_card_is_not_charged_again_after_a_deployment()
    {
        var cards = new Cards();

        var stopped = await WorkerTest.RunAsync(
            new ChargeCardWorker(cards),
            new ChargeCard(7),
            options => options.Cancel(StopReason.Shutdown, at: Place.AfterStep("begun")),
            Cancellation);
        var again = await WorkerTest.RunAsync(
            new ChargeCardWorker(cards),
            new ChargeCard(7),
            options => options with { Fence = 2, Steps = new Dictionary<string, object?> { ["begun"] = stopped.Steps[0].Result<long>() } },
            Cancellation);

        stopped.ShouldRelease();
        again.ShouldFail(EndReasons.FailedForGood);
        Assert.Empty(cards.Charged);
    }

    [Fact]
    public async Task An_order_that_is_packed_is_shipped_once()
    {
        var folder = Directory.CreateTempSubdirectory("taskrecovery-recipes-");
        try
        {
            var connectionString = $"Data Source={Path.Combine(folder.FullName, "shop.db")}";
            await using var orders = new Orders(connectionString);
            var shipped = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(orders);
            builder.Services.AddSingleton(new ActionWorker<ShipOrder>((context, _) =>
            {
                shipped.TrySetResult(context.Args.OrderId);
                return Task.CompletedTask;
            }));
            builder.Services.AddTaskRecovery().UseSqlite(connectionString)
                .AddWorker<PackOrder, PackOrderWorker>()
                .AddWorker<ShipOrder, ActionWorker<ShipOrder>>();
            using var host = builder.Build();
            await host.StartAsync(Cancellation);
            var queue = host.Services.GetRequiredService<IJobQueue>();

            await queue.EnqueueAsync(new PackOrder(7), cancellationToken: Cancellation);

            Assert.Equal(7, await shipped.Task.WaitAsync(Cancellation));
            await host.StopAsync(Cancellation);
            Assert.Equal(1, await orders.CountAsync(Cancellation));
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_step_that_enqueues_does_so_again_only_if_the_process_dies_before_its_result_is_stored()
    {
        foreach (var (place, count) in ((Place, int)[])[(Place.AtEndOfStep("ship"), 2), (Place.AfterStep("ship"), 1)])
        {
            await using var application = await TestApplication.StartAsync(
                static (_, _) => Task.CompletedTask,
                register: static builder =>
                {
                    builder.Services.AddSingleton(static services => Packer(services.GetRequiredService<IJobQueue>()));
                    builder.AddKind<ShipOrder>().AddWorker<PackOrder, ActionWorker<PackOrder>>();
                });
            await application.Queue.EnqueueAsync(new PackOrder(7), cancellationToken: Cancellation);

            await application.Test.KillNodeAsync(at: place, cancellationToken: Cancellation);
            await application.Test.DrainAsync(cancellationToken: Cancellation);

            Assert.Equal(count, (await application.Test.ListEntriesAsync<ShipOrder>(Cancellation)).Count);
        }

        static ActionWorker<PackOrder> Packer(IJobQueue queue) => new(async (context, cancellationToken) =>
        {
            await context.StepAsync(
                "ship",
                async token => await queue.EnqueueAsync(new ShipOrder(context.Args.OrderId), token),
                cancellationToken);
        });
    }
}
