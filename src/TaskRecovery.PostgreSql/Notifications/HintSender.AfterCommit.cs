using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <content>Sends hints about entries that callers store in their own transactions.</content>
/// <remarks>A NOTIFY inside the caller's transaction would make its commit fail while the server's notification queue is full, would forbid
/// PREPARE TRANSACTION, and would make its commit wait for those of all other notifying transactions. Therefore the process that enqueued
/// watches the transaction for a while and sends the hint after its commit. If the commit comes later than that, polling finds the
/// entries.</remarks>
internal sealed partial class HintSender
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WatchFor = TimeSpan.FromMinutes(1);

    /// <summary>Schedules hints about work in queues for when a caller's transaction is committed.</summary>
    internal void WorkAfterCommit(ulong transaction, IReadOnlyCollection<string> queues)
    {
        lock (_lock)
        {
            if (_uncommitted.TryGetValue(transaction, out var pending))
            {
                pending.Queues.UnionWith(queues);
            }
            else
            {
                _uncommitted.Add(transaction, new PendingHint(new HashSet<string>(queues, StringComparer.Ordinal), time.GetTimestamp()));
            }

            if (_watching)
            {
                return;
            }

            _watching = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static sender => _ = sender.WatchAsync(), this, preferLocal: false);
    }

    private async Task WatchAsync()
    {
        for (var pause = FirstLook; Watched() is { Length: > 0 } transactions; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await Task.Delay(pause, time, CancellationToken.None).ConfigureAwait(false);
            try
            {
                foreach (var (transaction, isCommitted) in await FindEndedAsync(transactions).ConfigureAwait(false))
                {
                    pause = FirstLook;
                    Release(transaction, isCommitted);
                }
            }
            catch (Exception)
            {
                // If a hint is lost, polling finds the entries.
            }
        }
    }

    // When this returns an empty array, none are left and the watch ends; the next transaction starts a new watch.
    private ulong[] Watched()
    {
        lock (_lock)
        {
            foreach (var (transaction, pending) in _uncommitted)
            {
                if (time.GetElapsedTime(pending.Since) > WatchFor)
                {
                    _uncommitted.Remove(transaction);
                }
            }

            _watching = _uncommitted.Count > 0;
            return [.. _uncommitted.Keys];
        }
    }

    private void Release(ulong transaction, bool isCommitted)
    {
        PendingHint? pending;
        lock (_lock)
        {
            _uncommitted.Remove(transaction, out pending);
        }

        if (isCommitted && pending is not null)
        {
            foreach (var queue in pending.Queues)
            {
                Work(queue);
            }
        }
    }

    private ValueTask<List<(ulong Transaction, bool IsCommitted)>> FindEndedAsync(ulong[] transactions)
        => database.ReadAsync(
            HintSql.Ended,
            [Arg.Array(transactions, NpgsqlDbType.Xid8)],
            static async (reader, token) =>
            {
                var ended = new List<(ulong, bool)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    ended.Add((reader.GetFieldValue<ulong>(0), reader.GetBoolean(1)));
                }

                return ended;
            },
            CancellationToken.None);

    private sealed record PendingHint(HashSet<string> Queues, long Since);
}
