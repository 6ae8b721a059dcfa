using TaskRecovery.Rules;

namespace TaskRecovery.Queue;

/// <summary>The calls whose unique key is not free: a transaction that is still open has taken or freed it. One writer tries the keys in
/// turn, each alone and with its first call only, so that these calls occupy one connection, whatever their number.</summary>
/// <param name="tryWrite">Tries to write a call, and waits for its key for the given time. Returns <see langword="false"/> if the key was
/// not free; otherwise the call has its result or its error, unless it was cancelled. It must not throw.</param>
/// <param name="write">Writes a call together with others. Called for the calls that waited for a key that has become free.</param>
/// <param name="time">The clock that limits the wait of a call.</param>
internal sealed class BlockedKeys(Func<PendingEnqueue, TimeSpan, Task<bool>> tryWrite, Action<PendingEnqueue> write, TimeProvider time)
    : IThreadPoolWorkItem
{
    /// <summary>How long a try waits if many keys are not free: longer than a transaction that takes or frees a key at this moment, and
    /// ends, usually takes.</summary>
    internal static readonly TimeSpan ShortTry = TimeSpan.FromMilliseconds(10);

    // A try waits on the server, so that the key is stored in the moment in which it becomes free. If several keys are not free, the time
    // is divided among them.
    private static readonly TimeSpan LongTry = TimeSpan.FromMilliseconds(500);

    private const int ChecksPerLimit = 30;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Kind, string Key), BlockedKey> _keys = [];
    private readonly Queue<BlockedKey> _turns = new();
    private bool _isWriting;
    private long _checkedAt;

    /// <summary>How long a call waits for its key: as long as a statement may take by default. Settable for tests.</summary>
    internal TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(30);

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

    /// <summary>Adds a call whose key was not free when it was tried alone. Does not wait.</summary>
    public void Add(PendingEnqueue call)
    {
        lock (_gate)
        {
            var name = NameOf(call);
            if (!_keys.TryGetValue(name, out var key))
            {
                key = new BlockedKey(name);
                _keys.Add(name, key);
                _turns.Enqueue(key);
            }

            Append(key, call);
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAllAsync();

    private static (string Kind, string Key) NameOf(PendingEnqueue call) => (call.Entry.Kind, call.Entry.UniqueKey!);

    // If a call comes again, because its key was free for a moment, its limit does not begin again.
    private void Append(BlockedKey key, PendingEnqueue call)
    {
        call.BlockedSince ??= time.GetTimestamp();
        key.Calls.Add(call);
    }

    private async Task WriteAllAsync()
    {
        while (Take() is { } next)
        {
            var isBlocked = !await tryWrite(next.Call, next.Wait).ConfigureAwait(false);
            foreach (var call in End(next.Key, next.Call, isBlocked))
            {
                write(call);
            }
        }
    }

    // The call stays among those of its key until its try has ended. If no key is left, the writer ends, and the next call that is added
    // starts another one.
    private (BlockedKey Key, PendingEnqueue Call, TimeSpan Wait)? Take()
    {
        lock (_gate)
        {
            EndLateCalls();
            while (_turns.TryDequeue(out var key))
            {
                key.Calls.RemoveAll(static call => call.IsCancelled);
                if (key.Calls is [var first, ..])
                {
                    var wait = LongTry / (_turns.Count + 1);
                    return (key, first, wait > ShortTry ? wait : ShortTry);
                }

                _keys.Remove(key.Name);
            }

            _isWriting = false;
            return null;
        }
    }

    // Between two tries, when none of the calls is being tried: what this says about a call is true. If there are many keys, a call may
    // not have its turn for long, so all calls are checked. But not for each try, because there may be many calls.
    private void EndLateCalls()
    {
        if (time.GetElapsedTime(_checkedAt) < Limit / ChecksPerLimit)
        {
            return;
        }

        _checkedAt = time.GetTimestamp();
        foreach (var key in _keys.Values)
        {
            key.Calls.RemoveAll(call => call.IsCancelled || EndIfLate(call));
        }
    }

    private bool EndIfLate(PendingEnqueue call)
    {
        if (time.GetElapsedTime(call.BlockedSince!.Value) < Limit)
        {
            return false;
        }

        var (kind, key) = NameOf(call);
        call.TrySetException(new StoreUnavailableException(
            $"Unique key '{EntryText.Shown(key)}' of kind '{EntryText.Shown(kind)}' was not free for {Limit.TotalSeconds} s: a transaction "
            + "that is still open has stored an entry with it, or has ended the entry that holds it. Nothing was stored. End that "
            + "transaction, or try again later. If it is the caller's own, pass it to the call.")
        {
            WaitedForKey = true,
        });
        return true;
    }

    // Returns the calls that waited for the same key, if the key is free. A store that failed counts too: its error is theirs as well.
    private List<PendingEnqueue> End(BlockedKey key, PendingEnqueue call, bool isBlocked)
    {
        lock (_gate)
        {
            if (!isBlocked)
            {
                key.Calls.Remove(call);
                if (call.Task.IsCompleted)
                {
                    _keys.Remove(key.Name);
                    return key.Calls;
                }
            }

            // If the call was cancelled, its try says nothing about the key.
            _turns.Enqueue(key);
            return [];
        }
    }

    private sealed class BlockedKey((string Kind, string Key) name)
    {
        public (string Kind, string Key) Name => name;

        public List<PendingEnqueue> Calls { get; } = [];
    }
}
