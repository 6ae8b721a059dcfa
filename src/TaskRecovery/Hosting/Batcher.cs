namespace TaskRecovery.Hosting;

/// <summary>Writes items in batches: items that arrive while a batch is being written are written together. An item is not delayed to fill
/// a batch: if no batch is being written, it is written at once.</summary>
/// <param name="write">Writes a batch. It must not throw.</param>
/// <param name="rules">The limits of a batch.</param>
/// <param name="time">The clock for pauses.</param>
internal sealed class Batcher<T>(Func<List<T>, Task> write, BatchRules<T> rules, TimeProvider time) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<T> _pending = new();
    private int _writers;

    /// <summary>Adds an item. Does not wait.</summary>
    public void Add(T item)
    {
        lock (_gate)
        {
            _pending.Enqueue(item);
            if (_writers == rules.MaxWriters || (_writers > 0 && _pending.Count < rules.NextWriterFrom))
            {
                return;
            }

            _writers++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAllAsync();

    private async Task WriteAllAsync()
    {
        while (Take() is { } batch)
        {
            var count = batch.Count;
            await write(batch).ConfigureAwait(false);
            if (count >= rules.BusyFrom && !HasMany())
            {
                await Task.Delay(rules.BusyPause, time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private bool HasMany()
    {
        lock (_gate)
        {
            return _pending.Count >= rules.NextWriterFrom;
        }
    }

    // If nothing is pending, the writer ends, and the next item starts another one.
    private List<T>? Take()
    {
        lock (_gate)
        {
            if (_pending.Count == 0)
            {
                _writers--;
                return null;
            }

            var batch = new List<T>(Math.Min(_pending.Count, rules.MaxItems));
            var size = 0L;
            while (batch.Count < rules.MaxItems && _pending.TryPeek(out var next))
            {
                size += rules.SizeOf?.Invoke(next) ?? 0;
                if (size > rules.MaxSize && batch.Count > 0)
                {
                    break;
                }

                batch.Add(_pending.Dequeue());
            }

            return batch;
        }
    }
}
