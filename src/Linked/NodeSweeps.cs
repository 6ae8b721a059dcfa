namespace TaskRecovery.Storage;

/// <summary>Sweeps dead nodes one after the other. A node that can't be swept, because of a locked or an odd row, does not keep the others
/// from being swept.</summary>
internal static class NodeSweeps
{
    // Without a store, each node may cost the time limit of a call.
    private const int MostOutages = 3;

    /// <summary>Sweeps nodes.</summary>
    /// <param name="dead">The nodes.</param>
    /// <param name="sweep">Sweeps one node, and adds what it has recovered to the list, as soon as that is committed.</param>
    public static async ValueTask<RecoveryReport> RunAsync<TNode>(
        IEnumerable<TNode> dead, Func<TNode, List<RecoveryItem>, ValueTask> sweep)
    {
        var items = new List<RecoveryItem>();
        Exception? first = null;
        var outages = 0;
        foreach (var node in dead)
        {
            try
            {
                await sweep(node, items).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                first ??= exception;
                if (exception is StoreUnavailableException { IsLockTimeout: false } && ++outages == MostOutages)
                {
                    break;
                }
            }
        }

        return items.Count == 0 && first is null ? RecoveryReport.Empty : new RecoveryReport(items) { Failure = first };
    }
}
