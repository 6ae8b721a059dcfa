using Npgsql;
using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <content>Sends hints about entries that callers store in their own transactions.</content>
/// <remarks>A NOTIFY inside the caller's transaction would make its commit fail while the server's notification queue is full, would forbid
/// PREPARE TRANSACTION, and would make its commit wait for those of all other notifying transactions. Therefore the process that enqueued
/// watches the transaction for a while and sends the hint after its commit. One statement finds the transactions that have ended and sends
/// the hints of all of them, so a stream of transactions costs a hundred statements a second and not one or two each. If the commit comes
/// after the watch, polling finds the entries.</remarks>
internal sealed partial class HintSender
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2);

    // While transactions end all the time, a hint covers those of this time.
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    // Most transactions that are open for some time do something meanwhile and end soon.
    private static readonly TimeSpan LongestPauseAtFirst = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan AtFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WatchFor = TimeSpan.FromMinutes(1);

    private readonly Dictionary<ulong, PendingHint> _uncommitted = [];
    private bool _watching;

    // Whether a transaction was added after the last check began.
    private bool _hasNew;
    private long? _lastEnded;

    /// <summary>Schedules hints about work in queues for when a caller's transaction is committed.</summary>
    internal void WorkAfterCommit(ulong transaction, string queue)
    {
        var word = HintText.Work(queue);
        lock (_lock)
        {
            if (!_uncommitted.TryGetValue(transaction, out var pending))
            {
                _uncommitted.Add(transaction, pending = new PendingHint([], time.GetTimestamp()));
                _hasNew = true;
            }

            if (!pending.Words.Contains(word))
            {
                pending.Words.Add(word);
            }

            if (_watching)
            {
                return;
            }

            _watching = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static sender => _ = sender.WatchAsync(), this, preferLocal: false);
    }

    /// <summary>Whether transactions are watched.</summary>
    internal bool IsWatching
    {
        get
        {
            lock (_lock)
            {
                return _watching;
            }
        }
    }

    /// <summary>How long to wait before the next check of the transactions.</summary>
    /// <param name="checks">How many checks in a row have found no ended transaction.</param>
    /// <param name="sinceEnded">The time since a check found one; <see langword="null"/> if none has.</param>
    /// <param name="youngest">How long the youngest transaction has been watched.</param>
    internal static TimeSpan PauseBefore(int checks, TimeSpan? sinceEnded, TimeSpan youngest)
    {
        var longest = youngest < AtFirst ? LongestPauseAtFirst : LongestPause;
        var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Min(checks, 10), longest.Ticks));
        return sinceEnded is { } since && BusyPause - since > pause ? BusyPause - since : pause;
    }

    private async Task WatchAsync()
    {
        for (var checks = 0; HasWatched(out var youngest); checks++)
        {
            var sinceEnded = _lastEnded is { } last ? time.GetElapsedTime(last) : (TimeSpan?)null;
            if (await WaitAsync(PauseBefore(checks, sinceEnded, youngest)).ConfigureAwait(false))
            {
                checks = Math.Min(checks, 1);
            }

            try
            {
                if (await SendEndedAsync().ConfigureAwait(false) > 0)
                {
                    (checks, _lastEnded) = (-1, time.GetTimestamp());
                }
            }
            catch (Exception)
            {
                // The transactions are still watched, so the next check repeats this.
            }
        }
    }

    // One transaction that stays open for long must not delay the hints of those that begin later. Returns whether such a one has begun.
    private async Task<bool> WaitAsync(TimeSpan pause)
    {
        for (var began = time.GetTimestamp(); time.GetElapsedTime(began) is var waited && waited < pause;)
        {
            await Task.Delay(pause - waited < BusyPause ? pause - waited : BusyPause, time, CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                if (_hasNew)
                {
                    return true;
                }
            }
        }

        return false;
    }

    // When this returns false, none are left and the watch ends; the next transaction starts a new watch.
    private bool HasWatched(out TimeSpan youngest)
    {
        youngest = WatchFor;
        lock (_lock)
        {
            if (database.IsClosed)
            {
                // Each check would fail. If these transactions commit, polling finds their entries.
                _uncommitted.Clear();
            }

            foreach (var (transaction, pending) in _uncommitted)
            {
                var age = time.GetElapsedTime(pending.Since);
                youngest = age < youngest ? age : youngest;
                if (age > WatchFor)
                {
                    _uncommitted.Remove(transaction);
                }
            }

            return _watching = _uncommitted.Count > 0;
        }
    }

    /// <summary>Checks the transactions once, and sends the hints of those that have committed. Tests call this; the timer is not part of
    /// the behavior.</summary>
    /// <returns>How many have ended.</returns>
    internal async ValueTask<int> SendEndedAsync()
    {
        NpgsqlParameter[] args;
        Dictionary<ulong, int> sent;
        lock (_lock)
        {
            _hasNew = false;
            sent = _uncommitted.ToDictionary(static one => one.Key, static one => one.Value.Words.Count);
            args =
            [
                Arg.Array([.. _uncommitted.Keys], NpgsqlDbType.Xid8),
                Arg.Text(database.Channel),
                Arg.Array([.. _uncommitted.SelectMany(static one => one.Value.Words.Select(_ => one.Key))], NpgsqlDbType.Xid8),
                Arg.Array([.. _uncommitted.SelectMany(static one => one.Value.Words)], NpgsqlDbType.Text),
            ];
        }

        // A hint may be lost with the server, so its commit does not wait for the disk.
        var ended = await database.SendAsync(
            HintSql.SendEnded,
            args,
            static async (reader, token) =>
            {
                var ids = new List<ulong>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    ids.Add(reader.GetFieldValue<ulong>(0));
                }

                return ids;
            },
            CancellationToken.None).ConfigureAwait(false);
        var late = new List<string>();
        lock (_lock)
        {
            foreach (var transaction in ended)
            {
                // The caller may have used further queues and ended the transaction while this check waited for its connection. Whether it
                // committed is not known here; a hint without work costs one claim attempt.
                if (_uncommitted.Remove(transaction, out var pending))
                {
                    late.AddRange(pending.Words.Skip(sent[transaction]));
                }
            }
        }

        late.ForEach(Add);
        return ended.Count;
    }

    private sealed record PendingHint(List<string> Words, long Since);
}
