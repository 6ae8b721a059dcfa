using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>A node of a fleet that is nearly idle, in which another node is the first to claim after a hint, and takes nothing.</summary>
public sealed class BackupListenerTests
{
    private const int Nodes = 20;

    // A timer may be early by one tick of its clock.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(PollLimits.NewMilliseconds - 10);

    private readonly TestWork _work = new();
    private readonly FakeQueueStore _store = new()
    {
        Place = Place(2),
        Peers = [.. Enumerable.Range(1, Nodes).Where(static number => number != 2).Select(
            static number => new PeerHeartbeat(Guid.NewGuid(), "peer", 1, true, true) { Place = Place(number) })],
        Traits = FakeQueueStore.PolledEvery(TimeSpan.FromHours(1)),
    };

    [Fact]
    public async Task What_the_first_node_does_not_take_starts_after_a_short_time_without_a_poll()
    {
        var waits = new List<TimeSpan>();
        await using var host = await StartAsync();

        for (var entry = 0; entry < 5; entry++)
        {
            var hinted = Stopwatch.GetTimestamp();
            var id = _store.Add("test.work", "{}");
            _store.Hint(StoreHintKind.Work, "default");
            await _store.UntilEnded(id);
            waits.Add(Stopwatch.GetElapsedTime(hinted));
        }

        // An attempt that makes up for an earlier one may find an entry sooner, but not each of them.
        Assert.True(waits.Max() >= Patience, $"The longest wait was {waits.Max()}.");
    }

    [Fact]
    public async Task A_node_that_finds_an_entry_too_late_serves_the_queue_itself()
    {
        var leaves = new ConcurrentBag<bool>();
        await using var host = await StartAsync();
        var turns = host.Services.GetRequiredService<HintTurns>();
        _work.Do = (_, _) =>
        {
            leaves.Add(turns.Leaves("default"));
            return Task.CompletedTask;
        };

        // On a slow machine, some of them may start when the time of serving is over.
        for (var entry = 0; entry < 10; entry++)
        {
            var id = _store.Add("test.work", "{}", static late => late.Waited = HintTurns.Late);
            _store.Hint(StoreHintKind.Work, "default");
            await _store.UntilEnded(id);
        }

        Assert.Contains(false, leaves);
    }

    private static HintPlace Place(long number) => new(["default"], [], 0, null, number);

    private async Task<WorkHost> StartAsync()
    {
        var host = await WorkHost.StartAsync(
            _store,
            builder =>
            {
                builder.Services.AddSingleton(_work);
                builder.AddWorker<TestArgs, TestWorker>();
            },
            static options =>
            {
                options.Node.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
                options.Node.Lease = TimeSpan.FromMinutes(5);
                options.Node.Grace = TimeSpan.FromMinutes(2);
            });
        await _store.Until(static now => now.CallsOf("listening") > 0);
        Assert.True(SpinWait.SpinUntil(
            () => host.Services.GetRequiredService<HintTurns>().Leaves("default"), TimeSpan.FromSeconds(60)));
        return host;
    }
}
