using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <content>Unique keys that a transaction of another process has taken, which is still open.</content>
internal sealed partial class FakeQueueStore
{
    /// <summary>The keys that are not free.</summary>
    public SharedSet<string> TakenKeys { get; } = new();

    public async ValueTask<EnqueueResult[]?> TryEnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        if (entries.Any(entry => TakenKeys.Contains(entry.UniqueKey!)))
        {
            Do("key taken", static () => 0);
            await Task.Yield();
            return null;
        }

        return await EnqueueAsync(entries, transaction: null, cancellationToken);
    }
}
