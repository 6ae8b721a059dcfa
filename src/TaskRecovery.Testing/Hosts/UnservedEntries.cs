using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Finds due entries that no drain runs, because the application has no worker for their kind or does not serve their queue. A
/// test that only looks at the runs would not notice them.</summary>
internal sealed class UnservedEntries(IQueueStore store, TestEntries entries, ServedWork served)
{
    /// <summary>The kinds and queues that have such entries, unless they are paused.</summary>
    public async Task<IReadOnlyList<UnservedWork>> FindAsync(DrainOptions options, CancellationToken cancellationToken)
    {
        // After a drain of everything, usually nothing is due, and nothing has to be listed.
        var depths = await store.MeasureAsync(cancellationToken).ConfigureAwait(false);
        if (!depths.Any(static depth => depth.Due > 0))
        {
            return [];
        }

        var found = new List<UnservedWork>();
        var waiting = await entries.ListAsync(new EntryFilter { State = EntryState.Waiting }, cancellationToken).ConfigureAwait(false);
        foreach (var (queue, kind) in waiting.Select(static entry => (entry.Queue, entry.Kind)).Distinct())
        {
            // The store decides what is due: with the application's own store, only it knows the time.
            if (served.FindUnserved(queue, kind, options) is { } work
                && (await store.PollAsync(new PollRequest(Guid.Empty, [queue], [kind], WithUnknownKinds: false), cancellationToken)
                    .ConfigureAwait(false)).DueQueues.Count > 0)
            {
                found.Add(work);
            }
        }

        return found;
    }
}
