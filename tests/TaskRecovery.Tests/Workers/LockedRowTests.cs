using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Outcomes that need a row which another transaction has locked.</summary>
public sealed class LockedRowTests
{
    private readonly FakeQueueStore _store = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_row_that_another_transaction_has_locked_keeps_no_other_outcome_waiting(bool storeKnowsWhose)
    {
        _store.RefuseFlush = static outcomes => outcomes.Any(static outcome => outcome.EntryId == 1)
            ? new StoreUnavailableException("The task of entry 1 is locked.") { IsLockTimeout = true }
            : null;
        if (storeKnowsWhose)
        {
            _store.Blocked.Add(1);
        }

        await using var host = await WorkHost.StartAsync(
            _store,
            static builder =>
            {
                builder.Services.AddSingleton(new TestWork());
                builder.AddWorker<TestArgs, TestWorker>();
            });

        var (locked, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.CallsOf("find blocked") > 1);
        var (other, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(other);

        Assert.Empty(_store.Entry(locked).Outcomes);
        _store.RefuseFlush = static _ => null;
        _store.Blocked.Clear();
        await _store.UntilEnded(locked);
        Assert.Equal([OutcomeKind.Completed], _store.Entry(locked).Kinds);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_with_an_outcome_whose_row_is_locked_is_stored_without_it(bool storeKnowsWhose)
    {
        const int locked = 4;
        var isLocked = true;
        var stored = new List<long>();
        _store.RefuseFlush = outcomes =>
        {
            if (isLocked && outcomes.Any(static outcome => outcome.EntryId == locked))
            {
                return new StoreUnavailableException("The task of entry 4 is locked.") { IsLockTimeout = true };
            }

            stored.AddRange(outcomes.Select(static outcome => outcome.EntryId));
            return null;
        };
        if (storeKnowsWhose)
        {
            _store.Blocked.Add(locked);
        }

        // While the first call lasts, the other outcomes become one batch.
        using var firstCall = new ManualResetEventSlim();
        _store.OnCall = name =>
        {
            if (name == "finish")
            {
                firstCall.Wait(TimeSpan.FromMinutes(2));
            }
        };
        await using var host = await WorkHost.StartAsync(
            _store,
            static builder =>
            {
                builder.Services.AddSingleton(new TestWork());
                builder.AddWorker<TestArgs, TestWorker>();
            });
        var writer = host.Services.GetRequiredService<OutcomeWriter>();
        for (var number = 1; number <= 6; number++)
        {
            await host.Queue.EnqueueAsync(new TestArgs());
            await UntilAsync(() => writer.Unstored == number);
        }

        firstCall.Set();
        await _store.UntilEnded(1, 2, 3, 5, 6);
        Assert.Empty(_store.Entry(locked).Outcomes);
        isLocked = false;
        _store.Blocked.Clear();
        await _store.UntilEnded(locked);
        await UntilAsync(() => writer.Unstored == 0);

        Assert.Equal([1, 2, 3, 4, 5, 6], stored.Order());
        Assert.Equal(locked, stored[^1]);
    }

    // Waits for another thread; what is waited for comes by itself.
    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
