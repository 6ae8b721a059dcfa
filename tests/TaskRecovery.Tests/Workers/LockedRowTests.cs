using Microsoft.Extensions.DependencyInjection;
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
}
