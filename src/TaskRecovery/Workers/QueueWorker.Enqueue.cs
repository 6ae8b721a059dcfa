using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <content>Entries that are stored here while nothing is in line before them and executors are idle: stored and claimed in one transaction, they start without a second one.</content>
internal sealed partial class QueueWorker
{
    // Of the claim loop, or of an enqueue: a claimer has one caller at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <inheritdoc/>
    public async ValueTask<EnqueueResult[]?> TryEnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken)
    {
        if (!WouldStart(entries) || !_turn.Wait(0, CancellationToken.None))
        {
            return null;
        }

        try
        {
            // Idle executors are given work by claims only, and this is the one claim now.
            return WouldStart(entries) ? await EnqueueClaimedAsync(_lease!, entries, cancellationToken).ConfigureAwait(false) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<EnqueueResult[]?> EnqueueClaimedAsync(NodeLease lease, NewEntry[] entries, CancellationToken cancellationToken)
    {
        var claims = lease.Life.Claims;
        var ticket = claims.Begin(lease);
        ClaimedEnqueue? stored;
        try
        {
            stored = await _claimer!.EnqueueAsync(entries, cancellationToken).ConfigureAwait(false);
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
            Wake(fromFront: true);
        }

        return stored.Results;
    }

    private bool WouldStart(NewEntry[] entries)
    {
        if (_stopping || _lease is not { IsValid: true } || _services.Completer.IsOverloaded)
        {
            return false;
        }

        foreach (var entry in entries)
        {
            if (entry.UniqueKey is not null || entry.RunAt is not null || entry.RunAfter is not null
                || !string.Equals(entry.Queue, Queue, StringComparison.Ordinal)
                || _services.Kinds.Find(entry.Kind) is not { Runner: not null })
            {
                return false;
            }
        }

        // Told of work that it has not looked for, the claimer looks first: that may be before these in line.
        lock (_wakeGate)
        {
            if (_isWoken)
            {
                return false;
            }
        }

        lock (_gate)
        {
            return _buffer.Count == 0 && _idle.Count >= entries.Length;
        }
    }
}
