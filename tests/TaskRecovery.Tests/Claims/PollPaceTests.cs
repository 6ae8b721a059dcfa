using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>An idle node polls seldom where hints report everything, and as often as ever otherwise.</summary>
public sealed class PollPaceTests
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(10);

    private readonly PollPace _pace = new(Traits(Seldom));

    [Fact]
    public void A_node_that_has_nothing_to_do_rests_until_the_next_entry_is_due()
    {
        _pace.Listens(true);

        Assert.Equal(Seldom, _pace.Wait(static () => true, null));
        Assert.Equal(TimeSpan.FromSeconds(4), _pace.Wait(static () => true, TimeSpan.FromSeconds(4)));
        Assert.Equal(Often, _pace.Wait(static () => true, TimeSpan.FromMilliseconds(1)));
        Assert.Equal(Seldom, _pace.Wait(static () => true, TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_node_that_works_or_hears_no_hints_polls_as_often_as_ever()
    {
        Assert.Equal(Often, _pace.Wait(static () => true, null));
        _pace.Listens(true);
        Assert.Equal(Often, _pace.Wait(static () => false, null));
        _pace.Listens(false);
        Assert.Equal(Often, _pace.Wait(static () => true, null));
        var other = new PollPace(Traits(null));
        other.Listens(true);
        Assert.Equal(Often, other.Wait(static () => true, null));
    }

    [Fact]
    public async Task Work_ends_the_rest_even_if_it_begins_while_the_node_decides()
    {
        _pace.Listens(true);

        _pace.Wait(() =>
        {
            _pace.WorkBegan();
            return true;
        }, null);

        Assert.True(await _pace.Now.WaitAsync(TimeSpan.FromHours(1), TimeProvider.System, CancellationToken.None));
        _pace.Wait(static () => false, null);
        _pace.WorkBegan();
        Assert.False(await _pace.Now.WaitAsync(TimeSpan.Zero, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task A_host_rests_and_polls_again_when_an_entry_is_claimed()
    {
        var store = new FakeQueueStore { Traits = Traits(TimeSpan.FromHours(1), often: TimeSpan.FromMilliseconds(5)) };
        await using var host = await WorkHost.StartAsync(store, static builder =>
        {
            builder.Services.AddSingleton(new TestWork());
            builder.AddWorker<TestArgs, TestWorker>();
        });
        var pace = host.Services.GetRequiredService<WorkServices>().Polls;
        await store.Until(static now => now.CallsOf("listen") > 0);
        store.Hint(StoreHintKind.Connected);
        await store.Until(_ => pace.Rests);
        var polls = 0;
        await store.Until(now => (polls = now.CallsOf("poll")) > 0);

        await host.Queue.EnqueueAsync(new TestArgs());

        await store.Until(now => now.CallsOf("poll") > polls);
    }

    private static StoreTraits Traits(TimeSpan? idle, TimeSpan? often = null)
        => FakeQueueStore.PolledEvery(often ?? Often) with { IdlePollInterval = idle };
}
