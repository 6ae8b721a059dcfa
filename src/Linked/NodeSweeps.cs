namespace TaskRecovery.Storage;

/// <summary>Sweeps dead nodes one after the other. A node that can't be swept, because of a locked or an odd row, does not keep the others
/// from being swept.</summary>
internal static class NodeSweeps
{
    // Without a store, each node may cost the time limit of a call.
    private const int MostOutages = 3;

    /// <summary>Sweeps nodes.</summary>
    /// <param name="dead">The nodes.</param>
    /// <param name="name">Returns the name of a node.</param>
    /// <param name="sweep">Sweeps one node, and adds what it has recovered to the list, as soon as that is committed.</param>
    public static async ValueTask<RecoveryReport> RunAsync<TNode>(
        IEnumerable<TNode> dead, Func<TNode, string> name, Func<TNode, List<RecoveryItem>, ValueTask> sweep)
    {
        var items = new List<RecoveryItem>();
        Exception? failure = null;
        var outages = 0;
        foreach (var node in dead)
        {
            try
            {
                await sweep(node, items).ConfigureAwait(false);
                outages = 0;
            }
            catch (StoreConfigurationException exception)
            {
                // It concerns every node. A process that starts must hear of it, whatever else has failed.
                failure = exception;
                break;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                failure ??= Named(name(node), exception);
                outages = HasNotAnswered(exception) ? outages + 1 : 0;
                if (outages == MostOutages)
                {
                    break;
                }
            }
        }

        return items.Count == 0 && failure is null ? RecoveryReport.Empty : new RecoveryReport(items) { Failure = failure };
    }

    // A store that has answered with an error answers to the sweep of the next node too.
    private static bool HasNotAnswered(Exception exception)
        => exception is StoreUnavailableException { IsLockTimeout: false } outage
            && !(outage.InnerException is { } cause && DatabaseErrors.IsAnswer(cause));

    // The node's name leads to the transaction or the row that is in the way.
    private static Exception Named(string node, Exception exception)
    {
        var text = $"The work of the dead node '{node}' could not be taken back: {exception.Message}";
        return exception switch
        {
            StoreUnavailableException error => new StoreUnavailableException(text, error)
            {
                IsLockTimeout = error.IsLockTimeout,
                IsHeldByThisProcess = error.IsHeldByThisProcess,
            },
            TaskRecoveryException or TimeoutException or IOException => exception,
            _ => new InvalidOperationException(text, exception),
        };
    }
}
