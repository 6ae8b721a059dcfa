using TaskRecovery.Storage;

namespace TaskRecovery.Chaos;

/// <summary>Checks the invariant again and again while harm is done.</summary>
internal sealed class InvariantWatch(IQueueStore queue)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    /// <summary>What was violated when it was first found to be.</summary>
    public IReadOnlyList<string> Found { get; private set; } = [];

    /// <summary>Checks until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Pause);
        try
        {
            while (Found.Count == 0)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
                try
                {
                    Found = [.. (await queue.CheckInvariantsAsync(cancellationToken)).Select(
                        line => $"the invariant, while harm was done: {line}")];
                }
                catch (StoreUnavailableException)
                {
                    // The server is down. The next check finds it.
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The harm is over.
        }
    }
}
