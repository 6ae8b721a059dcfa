using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>The examples of docs/recipes.md: the first test compares the page with this file, and the others run them.</summary>
public sealed class RecipeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_example_of_the_page_is_in_this_file()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Testing.Tests/Samples", "Recipe*.cs");
        var examples = PageExamples.Of("recipes.md");

        Assert.Equal(12, examples.Count);
        Assert.All(examples, example => Assert.Contains(PageExamples.Squeeze(example), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flight_is_cancelled_once_and_no_hotel_is_booked_later_wherever_the_process_dies()
        => await WorkerTest.CrashEverywhereAsync(
            world: () => new Travel(),
            worker: world => new BookTripWorker(world),
            args: new BookTrip("Rome"),
            check: world => Assert.Equal(["booked flight to Rome", "cancelled flight to Rome"], world.Done),
            places: CrashPlaces.BetweenSteps,
            depth: 2,
            configure: options => options with { ExpectedEnd = RunEnd.Failed },
            cancellationToken: Cancellation);

    [Fact]
    public async Task A_trip_keeps_its_flight_if_the_process_dies_before_the_refusal_is_stored()
    {
        var travel = new Travel();
        await Assert.ThrowsAsync<NoRoomException>(() => travel.BookHotelAsync("Rome", Cancellation));

        var run = await WorkerTest.RunAsync(
            new BookTripWorker(travel),
            new BookTrip("Rome"),
            options => options with { Steps = new Dictionary<string, object?> { ["flight"] = "flight to Rome" } },
            Cancellation);

        run.ShouldComplete();
        Assert.Equal(["booked hotel in Rome"], travel.Done);
    }

    [Fact]
    public async Task A_trip_without_a_hotel_fails_at_once()
    {
        var run = await WorkerTest.RunAsync(new BookTripWorker(new Travel()), new BookTrip("Rome"), cancellationToken: Cancellation);

        run.ShouldFail(EndReasons.FailedForGood);
        Assert.Equal("no room in Rome", run.Error);
    }

    [Fact]
    public async Task A_charge_has_the_same_key_in_every_attempt()
    {
        var keys = new HashSet<string>();
        var payments = new Payments(keys);
        var worker = new ActionWorker<Charge>(async (context, cancellationToken) =>
        {
            await context.StepAsync(
                "charge",
                token => payments.ChargeAsync(context.Args.Amount, idempotencyKey: $"{context.EntryId}-charge", token),
                cancellationToken);
        });

        await WorkerTest.RunAsync(worker, new Charge(5), options => options with { EntryId = 7 }, Cancellation);
        await WorkerTest.RunAsync(worker, new Charge(5), options => options with { EntryId = 7, Attempt = 2, Fence = 2 }, Cancellation);

        Assert.Equal(["7-charge"], keys);
    }

    [Fact]
    public async Task Every_change_is_applied_once_and_in_order_however_they_arrive()
    {
        var folder = Directory.CreateTempSubdirectory("taskrecovery-recipes-");
        try
        {
            await using var changes = await Changes.CreateAsync(
                $"Data Source={Path.Combine(folder.FullName, "shop.db")}", expected: 40, Cancellation);
            var builder = Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(changes);
            builder.Services.AddTaskRecovery().UseSqlite(changes.ConnectionString).AddWorker<ApplyChanges, ApplyChangesWorker>();
            using var host = builder.Build();
            await host.StartAsync(Cancellation);

            var queue = host.Services.GetRequiredService<IJobQueue>();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async customer =>
            {
                for (var number = 0; number < 10; number++)
                {
                    await StoreAsync(queue, changes, $"customer {customer}", new Change($"customer {customer}", number), Cancellation);
                }
            }));
            await changes.AllApplied.WaitAsync(Cancellation);
            await host.StopAsync(Cancellation);

            Assert.All(changes.Applied.ToLookup(change => change.Customer), applied => Assert.Equal(
                Enumerable.Range(0, 10), applied.Select(change => change.Number)));
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }

        static async Task StoreAsync(IJobQueue queue, Changes changes, string customer, Change change, CancellationToken cancellationToken)
        {
            await using var transaction = await changes.BeginAsync(customer, cancellationToken);
            await changes.AddAsync(change, transaction, cancellationToken);
            await queue.EnqueueAsync(
                new ApplyChanges(customer), transaction, new EnqueueOptions { UniqueKey = customer }, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    [Fact]
    public void A_queue_of_its_own_has_its_own_concurrency()
    {
        const string connectionString = "Data Source=never-opened.db";
        var builder = Host.CreateApplicationBuilder();

        builder.Services.AddTaskRecovery()
            .UseSqlite(connectionString)
            .AddQueue("crm", concurrency: 2)
            .AddWorker<UpdateCrm, UpdateCrmWorker>();

        using var services = builder.Services.BuildServiceProvider();
        Assert.Equal(
            2, services.GetRequiredService<Microsoft.Extensions.Options.IOptions<TaskRecoveryOptions>>().Value.Queues["crm"].Concurrency);
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, 40)]
    [InlineData(HttpStatusCode.OK, null)]
    public async Task A_busy_other_side_says_when_to_come_back(HttpStatusCode answer, int? seconds)
    {
        using var client = new HttpClient(new Answer(answer));

        var run = await WorkerTest.RunAsync(
            new UpdateCrmWorker(client), new UpdateCrm(new Uri("http://crm.example/ada")), cancellationToken: Cancellation);

        _ = seconds is { } delay ? run.ShouldSnooze(TimeSpan.FromSeconds(delay)) : run.ShouldComplete();
    }

    [Fact]
    public void All_workers_of_a_process_share_one_rate()
    {
        var builder = Host.CreateApplicationBuilder();

        builder.Services.AddSingleton<RateLimiter>(_ => new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = 10,                                   // so many calls at once after a quiet time
            TokensPerPeriod = 10,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 20,                                   // so many workers wait for their turn
        }));

        using var services = builder.Services.BuildServiceProvider();
        var limiter = services.GetRequiredService<RateLimiter>();
        Assert.Equal(10, limiter.GetStatistics()!.CurrentAvailablePermits);
        Assert.Same(limiter, services.GetRequiredService<RateLimiter>());
    }

    [Fact]
    public async Task A_call_above_the_rate_is_made_later()
    {
        using var client = new HttpClient(new Answer(HttpStatusCode.OK));
        await using var limiter = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = 1,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromDays(1),
            AutoReplenishment = false,
        });
        var worker = new CallPartnerWorker(client, limiter);
        var args = new CallPartner(new Uri("http://partner.example/orders"));

        var first = await WorkerTest.RunAsync(worker, args, cancellationToken: Cancellation);
        var second = await WorkerTest.RunAsync(worker, args, cancellationToken: Cancellation);

        first.ShouldComplete();
        second.ShouldSnooze(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_stop_ends_the_work_at_a_page_and_a_later_run_continues_there()
    {
        var pages = new Pages();
        var worker = new ActionWorker<ReadPages>(async (context, cancellationToken) =>
        {
            foreach (var page in Enumerable.Range(0, context.Args.Pages))
            {
                if (context.Stopping.IsCancellationRequested)
                {
                    context.Snooze(TimeSpan.Zero);   // runs again at once, on a node that is not stopping, after the last finished step
                    return;
                }

                await context.StepAsync($"page {page}", token => pages.ReadAsync(page, token), cancellationToken);
            }
        });

        var stopped = await WorkerTest.RunAsync(
            worker, new ReadPages(3), options => options.BeginShutdown(at: Place.AfterStep("page 1")), Cancellation);
        stopped.ShouldSnooze(TimeSpan.Zero);
        Assert.Equal([0, 1], pages.Read);

        var continued = await WorkerTest.RunAsync(
            worker,
            new ReadPages(3),
            options => options with { Steps = new Dictionary<string, object?> { ["page 0"] = null, ["page 1"] = null } },
            Cancellation);
        continued.ShouldComplete();
        Assert.Equal([0, 1, 2], pages.Read);
    }

    [Fact]
    public async Task A_stop_ends_the_work_at_its_next_checkpoint_by_itself()
    {
        var pages = new Pages();
        var worker = new ActionWorker<ReadPages>(async (context, cancellationToken) =>
        {
            var next = await context.GetCheckpointAsync<int>(cancellationToken);
            while (next < context.Args.Pages)
            {
                await pages.ReadAsync(next++, cancellationToken);
                await context.SaveCheckpointAsync(next, cancellationToken);
            }
        });

        var stopped = await WorkerTest.RunAsync(
            worker, new ReadPages(3), options => options.BeginShutdown(at: Place.BeforeCheckpoint(2)), Cancellation);
        stopped.ShouldRelease();
        Assert.Equal(2, stopped.Checkpoint<int>());
        Assert.IsAssignableFrom<OperationCanceledException>(stopped.Exception);

        var continued = await WorkerTest.RunAsync(
            worker, new ReadPages(3), options => options with { Checkpoint = stopped.Checkpoint<int>() }, Cancellation);
        continued.ShouldComplete();
        Assert.Equal([0, 1, 2], pages.Read);
    }
}
