using System.Collections.Concurrent;
using System.Threading.Channels;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Queue;

/// <summary>Calls whose unique key is not free. Each try takes as long as the test wants.</summary>
public sealed class BlockedKeysTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Channel<Try> _tries = Channel.CreateUnbounded<Try>();
    private readonly ConcurrentQueue<PendingEnqueue> _released = new();
    private readonly BlockedKeys _keys;

    public BlockedKeysTests() => _keys = new BlockedKeys(TryAsync, _released.Enqueue, _time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_call_ends_in_time_although_other_keys_come_without_end()
    {
        List<PendingEnqueue> old = [.. Enumerable.Range(0, 10).Select(number => Add($"old {number}"))];
        _time.Advance(_keys.Limit / 2);
        List<PendingEnqueue> late = [];
        for (var number = 0; number < 20; number++)
        {
            late.Add(Add($"new {number}"));
            (await NextAsync()).Answer.SetResult(false);
        }

        var last = await NextAsync();
        _time.Advance(_keys.Limit / 2);
        Assert.All(old, static call => Assert.False(call.Task.IsCompleted));
        last.Answer.SetResult(false);

        foreach (var call in old)
        {
            var error = await Assert.ThrowsAsync<StoreUnavailableException>(
                () => call.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
            Assert.True(error.WaitedForKey);
        }

        Assert.All(late, static call => Assert.False(call.Task.IsCompleted));
        Assert.DoesNotContain((await NextAsync()).Call, old);
    }

    [Fact]
    public async Task A_key_has_its_turn_although_other_keys_come_without_end()
    {
        var first = Add("first");
        Assert.Same(first, (await NextAsync(isBlocked: true)).Call);
        HashSet<PendingEnqueue> tried = [];
        for (var number = 0; number < 3; number++)
        {
            Add($"{number}");
            tried.Add((await NextAsync(isBlocked: true)).Call);
        }

        Assert.Contains(first, tried);
    }

    [Fact]
    public async Task Of_several_calls_of_a_key_the_first_is_tried_and_the_others_follow_when_it_is_stored()
    {
        List<PendingEnqueue> calls = [.. Enumerable.Range(0, 5).Select(_ => Add("key"))];
        for (var number = 0; number < 3; number++)
        {
            Assert.Same(calls[0], (await NextAsync(isBlocked: true)).Call);
        }

        Assert.Empty(_released);
        var last = await NextAsync();
        last.Call.SetResult(new EnqueueResult(1, IsDuplicate: false));
        last.Answer.SetResult(true);

        Assert.True(SpinWait.SpinUntil(() => _released.Count == 4, TimeSpan.FromMinutes(2)));
        Assert.Equal(calls.Skip(1), _released);
        Assert.False(_keys.TryAdd(Pending("key")));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_during_its_try_says_nothing_about_the_key()
    {
        using var cancellation = new CancellationTokenSource();
        var cancelled = Add("key", cancellation.Token);
        var next = Add("key");
        var tried = await NextAsync();
        Assert.Same(cancelled, tried.Call);

        await cancellation.CancelAsync();
        tried.Answer.SetResult(true);

        Assert.Same(next, (await NextAsync()).Call);
        Assert.Empty(_released);
    }

    [Fact]
    public async Task A_call_that_comes_again_does_not_wait_anew()
    {
        var first = Add("key");
        var second = Add("key");
        var tried = await NextAsync();
        _time.Advance(_keys.Limit / 2);
        first.SetResult(new EnqueueResult(1, IsDuplicate: false));
        tried.Answer.SetResult(true);
        Assert.True(SpinWait.SpinUntil(() => !_released.IsEmpty, TimeSpan.FromMinutes(2)));

        _keys.Add(second);
        tried = await NextAsync();
        _time.Advance(_keys.Limit / 2);
        tried.Answer.SetResult(false);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => second.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
    }

    [Fact]
    public async Task The_keys_share_the_time_of_a_try()
    {
        Add("first");
        var alone = await NextAsync();
        for (var number = 0; number < 100; number++)
        {
            Add($"{number}");
        }

        alone.Answer.SetResult(false);
        var amongMany = await NextAsync();

        Assert.Equal(TimeSpan.FromMilliseconds(500), alone.Wait);
        Assert.Equal(BlockedKeys.ShortTry, amongMany.Wait);
    }

    private static PendingEnqueue Pending(string key, CancellationToken cancellationToken = default)
        => new(
            new NewEntry { Kind = "test.work", Queue = "default", Priority = 5, Args = "1"u8.ToArray(), MaxAttempts = 1, UniqueKey = key },
            cancellationToken);

    private PendingEnqueue Add(string key, CancellationToken cancellationToken = default)
    {
        var call = Pending(key, cancellationToken);
        _keys.Add(call);
        return call;
    }

    private async Task<bool> TryAsync(PendingEnqueue call, TimeSpan wait)
    {
        var one = new Try(call, wait);
        _tries.Writer.TryWrite(one);
        return await one.Answer.Task;
    }

    private async Task<Try> NextAsync(bool isBlocked = false)
    {
        var next = await _tries.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        if (isBlocked)
        {
            next.Answer.SetResult(false);
        }

        return next;
    }

    private sealed record Try(PendingEnqueue Call, TimeSpan Wait)
    {
        public TaskCompletionSource<bool> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
