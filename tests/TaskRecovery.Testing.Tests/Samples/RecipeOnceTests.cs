using Microsoft.Extensions.DependencyInjection;
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
}
