using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <content>Unique keys that a transaction of another process has taken, which is still open.</content>
internal sealed partial class FakeQueueStore
{
    /// <summary>The keys that are not free. A call that would wait for one of them fails.</summary>
    public SharedSet<string> TakenKeys { get; } = new();

    /// <summary>How long the tries of keys that are known not to be free wait. Other tries of such keys are answered at once.</summary>
    public Task KeyWait { get; set; } = Task.CompletedTask;

    /// <summary>How long the tries of the parts of a batch wait that was divided.</summary>
    public Task ShortKeyWait { get; set; } = Task.CompletedTask;

    public async ValueTask<EnqueueResult[]?> TryEnqueueAsync(
        IReadOnlyList<NewEntry> entries, TimeSpan keyWait, bool isBlocked, CancellationToken cancellationToken)
    {
        if (isBlocked)
        {
            Assert.Single(entries);
            Do("blocked key tried", static () => 0);
            await KeyWait;
        }
        else if (keyWait < TimeSpan.FromMilliseconds(100))
        {
            await ShortKeyWait;
        }

        if (entries.Any(IsTaken))
        {
            Do(isBlocked ? "key still taken" : "key taken", static () => 0);
            await Task.Yield();
            return null;
        }

        return await EnqueueAsync(entries, transaction: null, cancellationToken);
    }

    private bool IsTaken(NewEntry entry) => entry.UniqueKey is { } key && TakenKeys.Contains(key);
}
