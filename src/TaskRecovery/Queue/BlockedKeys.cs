using TaskRecovery.Rules;

namespace TaskRecovery.Queue;

/// <summary>The calls whose unique key was not free for a moment: a transaction that is still open has taken or freed it. The calls of each
/// key are tried again together, and apart from all others, so that only they wait for that transaction.</summary>
/// <param name="write">Writes calls. Returns those whose key is still not free. It must not throw.</param>
/// <param name="time">The clock that limits the wait of a call.</param>
internal sealed class BlockedKeys(Func<List<PendingEnqueue>, Task<List<PendingEnqueue>>> write, TimeProvider time) : IThreadPoolWorkItem
{
    /// <summary>How long a call waits for its key: as long as a statement may take by default.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A try occupies a connection while it waits.
    private const int MaxWriters = 2;
    private const int MaxCalls = 100;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Kind, string Key), BlockedKey> _keys = [];

    // Calls of several keys share a transaction, so most of the keys that come here are free. They go before those that were not free when
    // they were tried alone, in turn.
    private readonly Queue<BlockedKey> _untried = new();
    private readonly Queue<BlockedKey> _blocked = new();
    private int _writers;

    /// <summary>Adds a call if its key is known not to be free, so that it keeps no other call waiting.</summary>
    /// <returns>Whether the call was added.</returns>
    public bool TryAdd(PendingEnqueue call)
    {
        lock (_gate)
        {
            if (!_keys.TryGetValue(NameOf(call), out var key))
            {
                return false;
            }

            Append(key, call);
            return true;
        }
    }

    /// <summary>Adds calls of which at least one has a key that was not free. Does not wait.</summary>
    public void Add(List<PendingEnqueue> calls)
    {
        int newWriters;
        lock (_gate)
        {
            foreach (var call in calls)
            {
                if (!_keys.TryGetValue(NameOf(call), out var key))
                {
                    key = new BlockedKey(NameOf(call));
                    _keys.Add(key.Name, key);
                    _untried.Enqueue(key);
                }

                Append(key, call);
            }

            newWriters = Math.Min(MaxWriters - _writers, _untried.Count);
            _writers += newWriters;
        }

        for (; newWriters > 0; newWriters--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAllAsync();

    private static (string Kind, string Key) NameOf(PendingEnqueue call) => (call.Entry.Kind, call.Entry.UniqueKey!);

    private void Append(BlockedKey key, PendingEnqueue call)
    {
        call.BlockedSince = time.GetTimestamp();
        key.Calls.Add(call);
    }

    private async Task WriteAllAsync()
    {
        while (Take() is { } next)
        {
            var blocked = await write(next.Calls).ConfigureAwait(false);
            foreach (var late in PutBack(next.Key, blocked))
            {
                var (kind, key) = next.Key.Name;
                late.TrySetException(new StoreUnavailableException(
                    $"Unique key '{EntryText.Shown(key)}' of kind '{EntryText.Shown(kind)}' was not free for "
                    + $"{Limit.TotalSeconds} s: a transaction that is still open has stored an entry with it, or has ended the entry that "
                    + "holds it. Nothing was stored. End that transaction, or try again later. If it is the caller's own, pass it to the "
                    + "call.")
                {
                    WaitedForKey = true,
                });
            }
        }
    }

    // If no key is left, the writer ends, and the next call that is added starts another one.
    private (BlockedKey Key, List<PendingEnqueue> Calls)? Take()
    {
        lock (_gate)
        {
            if (!_untried.TryDequeue(out var key) && !_blocked.TryDequeue(out key))
            {
                _writers--;
                return null;
            }

            var calls = key.Calls.GetRange(0, Math.Min(key.Calls.Count, MaxCalls));
            key.Calls.RemoveRange(0, calls.Count);
            return (key, calls);
        }
    }

    // Returns the calls that have waited for too long.
    private List<PendingEnqueue> PutBack(BlockedKey key, List<PendingEnqueue> blocked)
    {
        lock (_gate)
        {
            key.Calls.InsertRange(0, blocked);
            var late = blocked.Count == 0 ? [] : key.Calls.FindAll(call => time.GetElapsedTime(call.BlockedSince) >= Limit);
            key.Calls.RemoveAll(call => call.IsCancelled || late.Contains(call));
            if (key.Calls.Count == 0)
            {
                _keys.Remove(key.Name);
            }
            else
            {
                (blocked.Count == 0 ? _untried : _blocked).Enqueue(key);
            }

            return late;
        }
    }

    private sealed class BlockedKey((string Kind, string Key) name)
    {
        public (string Kind, string Key) Name => name;

        public List<PendingEnqueue> Calls { get; } = [];
    }
}
