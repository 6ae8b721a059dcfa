using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Cli.Commands;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>A duration counts from the store's clock, because the clock of this machine may differ.</summary>
public sealed class PauseEndTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pause_for_a_duration_ends_by_the_clock_of_the_store(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        var before = await TimeAsync(store.Cli);

        var paused = await store.Cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--until", "5m");
        var over = await store.Cli.RunAsync("pause", "queue", "mail", "--yes", "--until", "2020-01-01");

        var after = await TimeAsync(store.Cli);
        var queue = Assert.Single(await store.Cli.UseAsync(
            static services => services.GetRequiredService<IQueueMonitor>().ListQueuesAsync(Cancellation).AsTask()));
        Assert.Equal((0, 2), (paused.ExitCode, over.ExitCode));
        Assert.InRange(queue.Pause!.Until!.Value, before.AddMinutes(5).AddMilliseconds(-1), after.AddMinutes(5).AddMilliseconds(1));
    }

    [Fact]
    public void A_duration_is_added_to_the_time_that_is_given()
    {
        var now = DateTimeOffset.UnixEpoch;

        Assert.Equal(now.AddMinutes(5), Values.Future("--until", "5m", now));
        Assert.Equal(now.AddDays(1), Values.Future("--until", "1970-01-02", now));
        Assert.Null(Values.Future("--until", null, now));
    }

    private static Task<DateTimeOffset> TimeAsync(CliFixture cli)
        => cli.UseAsync(static services => services.GetRequiredService<IQueueOperator>().GetTimeAsync(Cancellation).AsTask());
}
