using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>The loops of a host: what wakes them, what they inherit, and what they say when they end.</summary>
public sealed class LoopTests
{
    // The engine leaves 20 ms between two polls, and between two claim attempts; a timer may be early by the rest of a millisecond and by
    // one tick.
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(18);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private static readonly StoreTraits SeldomPolled = FakeQueueStore.PolledEvery(TimeSpan.FromHours(1));

    [Fact]
    public async Task A_wake_up_too_soon_after_an_attempt_from_the_front_is_made_up_for()
    {
        var store = new FakeQueueStore { Traits = SeldomPolled };
        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("claim") > 0);

        for (var round = 0; round < 5; round++)
        {
            var (rewinds, claims) = (0, 0);
            await store.Until(now =>
            {
                (rewinds, claims) = (now.CallsOf("rewind"), now.CallsOf("claim"));
                return true;
            });
            store.Hint(StoreHintKind.Work, "default");
            await store.Until(now => now.CallsOf("claim") > claims);
            store.Hint(StoreHintKind.Work, "default");

            await store.Until(now => now.CallsOf("rewind") > rewinds);
        }
    }

    /// <summary>A claim that finds nothing is repeated only if something has said that an entry is due.</summary>
    [Fact]
    public async Task An_attempt_that_makes_up_for_another_claims_once()
    {
        var store = new FakeQueueStore { Traits = SeldomPolled };
        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("listening") > 0);
        var calls = new ConcurrentQueue<string>();
        store.OnCall = calls.Enqueue;

        for (var round = 0; round < 6; round++)
        {
            var rewinds = store.CallsOf("rewind");
            store.Hint(StoreHintKind.Work, "default");
            await store.Until(now => now.CallsOf("rewind") > rewinds);
        }

        var claims = new List<int>();
        foreach (var call in calls)
        {
            if (call == "rewind")
            {
                claims.Add(0);
            }
            else if (call == "claim" && claims.Count > 0)
            {
                claims[^1]++;
            }
        }

        // One of the attempt that makes up for another, and one of the next hint. The first attempt may be that of the connection.
        Assert.All(claims.Skip(1).SkipLast(1), static count => Assert.InRange(count, 1, 2));
    }

    [Fact]
    public async Task Many_hints_make_few_polls()
    {
        var store = new FakeQueueStore { Traits = SeldomPolled };
        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("listening") > 0);
        var started = TimeProvider.System.GetTimestamp();
        var before = store.CallsOf("poll");

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        while (!limit.IsCancellationRequested || store.CallsOf("poll") == before)
        {
            store.Hint(StoreHintKind.Control);
            await Task.Yield();
        }

        // A poll for each hint would be thousands.
        var polls = store.CallsOf("poll") - before;
        var most = (int)(TimeProvider.System.GetElapsedTime(started) / Between) + 3;
        Assert.InRange(polls, 1, most);
    }

    [Fact]
    public async Task Many_hints_of_work_that_is_not_there_make_few_claims()
    {
        var store = new FakeQueueStore { Traits = SeldomPolled };
        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("listening") > 0);
        var started = TimeProvider.System.GetTimestamp();
        var before = store.CallsOf("claim");

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        while (!limit.IsCancellationRequested || store.CallsOf("claim") == before)
        {
            store.Hint(StoreHintKind.Work, "default");
            await Task.Yield();
        }

        // Each attempt from the front that a hint led to may be made up for, at most every 100 ms, and the first attempt of the node and
        // the one for its connection may be still to come: two claims each. The first five empty attempts are closer together. A claim for
        // each hint would be thousands.
        var claims = store.CallsOf("claim") - before;
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        var most = (int)(elapsed / Between) + (2 * (int)(elapsed / TimeSpan.FromMilliseconds(90))) + 11;
        Assert.InRange(claims, 1, most);
    }

    [Fact]
    public async Task What_runs_in_the_background_is_no_part_of_what_started_the_host()
    {
        var store = new FakeQueueStore();
        var inherited = new HashSet<string>(StringComparer.Ordinal);
        using var activity = new Activity("start").Start();
        store.OnCall = call =>
        {
            if (Activity.Current is not null)
            {
                inherited.Add(call);
            }
        };

        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("poll") > 0 && now.CallsOf("sweep") > 0 && now.CallsOf("list claims") > 0);

        Assert.Empty(inherited);
    }

    /// <summary>The second claim of an attempt from the front would take what the stop has just released.</summary>
    [Fact]
    public async Task A_claim_that_finds_nothing_is_not_repeated_once_a_stop_has_begun()
    {
        var store = new FakeQueueStore { Traits = SeldomPolled };
        await using var host = WorkHost.Create(store, Register);
        var claiming = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wasStopping = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        store.OnCall = call =>
        {
            // The first attempt of a node begins at the front of the queue.
            if (call == "claim" && claiming.TrySetResult())
            {
                wasStopping.SetResult(SpinWait.SpinUntil(() => host.Log.Count(2006) > 0, TimeSpan.FromMinutes(2)));
            }
        };
        await host.StartAsync();
        await claiming.Task.WaitAsync(Limit);

        await host.StopAsync();

        Assert.True(await wasStopping.Task.WaitAsync(Limit));
        Assert.Equal(1, store.CallsOf("claim"));
    }

    /// <summary>The call is still running when its loop is asked to stop, and fails because of that.</summary>
    [Theory]
    [InlineData("claim")]
    [InlineData("poll")]
    public async Task A_call_that_fails_after_its_loop_was_asked_to_stop_is_no_outage(string interrupted)
    {
        var store = new FakeQueueStore();
        await using var host = await StartAsync(store);
        await store.Until(now => now.CallsOf("listening") > 0);
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wasStopping = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isListening = true;
        store.OnCall = call =>
        {
            if (call == "listening ended")
            {
                Volatile.Write(ref isListening, false);
            }
            else if (call == interrupted)
            {
                running.TrySetResult();
                wasStopping.TrySetResult(SpinWait.SpinUntil(
                    () => interrupted == "claim" ? host.Log.Count(2006) > 0 : !Volatile.Read(ref isListening), TimeSpan.FromMinutes(2)));
                throw new StoreUnavailableException("cut off");
            }
        };
        store.Hint(StoreHintKind.Work, "default");
        await running.Task.WaitAsync(Limit);

        await host.StopAsync();

        // The stop waits only half a second for a poll.
        Assert.True(await wasStopping.Task.WaitAsync(Limit));
        Assert.Equal(0, host.Log.Count(1002));
    }

    private static Task<WorkHost> StartAsync(FakeQueueStore store) => WorkHost.StartAsync(store, Register);

    private static void Register(TaskRecoveryBuilder builder)
    {
        builder.Services.AddSingleton(new TestWork());
        builder.Services.AddSingleton(WorkHost.PatientStop);
        builder.AddWorker<TestArgs, TestWorker>();
    }
}
