using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <content>Enqueues on a node with idle executors, while no entry is before them in line: they are stored and claimed in one transaction,
/// and start without another one.</content>
internal sealed partial class QueueWorker
{
    // Held by the claim loop or by an enqueue, because a claimer supports one caller at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <inheritdoc/>
    public async ValueTask<EnqueueResult[]?> TryEnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken)
    {
        if (!HasRoomFor(entries.Length) || !MayBeClaimed(entries) || !_turn.Wait(0, CancellationToken.None))
        {
            return null;
        }

        if (_services.Store.Traits.TakesBackQueuedWrites)
        {
            return await EnqueueInTurnAsync(entries, cancellationToken).ConfigureAwait(false);
        }

        // If the caller stops waiting for the answer, the claim stays, and its entries start anyway.
        return await EnqueueInTurnAsync(entries, CancellationToken.None).WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<EnqueueResult[]?> EnqueueInTurnAsync(NewEntry[] entries, CancellationToken whileQueued)
    {
        try
        {
            // Only claims give work to idle executors, and only this claim is in progress.
            return _lease is { IsValid: true } lease && HasRoomFor(entries.Length) ? await EnqueueClaimedAsync(lease, entries, whileQueued).ConfigureAwait(false) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<EnqueueResult[]?> EnqueueClaimedAsync(NodeLease lease, NewEntry[] entries, CancellationToken whileQueued)
    {
        var claims = lease.Node.Claims;
        var ticket = claims.Begin(lease);
        ClaimedEnqueue? stored;
        try
        {
            stored = await _claimer!.EnqueueAsync(entries, whileQueued).ConfigureAwait(false);
        }
        catch
        {
            claims.Abandon(ticket);
            _services.Lives.RequestReconcile();
            throw;
        }

        if (stored is null)
        {
            claims.Abandon(ticket);
            return null;
        }

        if (TryKeep(ticket, stored.Batch))
        {
            Accept(lease, stored.Batch);
        }

        if (stored.Batch.Entries.Count < entries.Length)
        {
            Wake(fromFront: false);
        }

        return stored.Results;
    }

    private bool HasRoomFor(int count)
    {
        // If the claimer was woken and has not looked yet, it goes first: the queue may contain entries that are before these in line.
        if (count > _executors.Length || _stopping || _services.Completer.IsOverloaded || IsWoken)
        {
            return false;
        }

        lock (_gate)
        {
            return _buffer.Count == 0 && _idle.Count >= count;
        }
    }

    private bool MayBeClaimed(NewEntry[] entries)
        => _lease is { IsValid: true } && Array.TrueForAll(entries, MayBeClaimed);

    private bool MayBeClaimed(NewEntry entry)
        => entry.UniqueKey is null && entry.RunAt is null && entry.RunAfter is null
            && string.Equals(entry.Queue, Queue, StringComparison.Ordinal)
            && _services.Kinds.Find(entry.Kind) is { Runner: not null };
}
