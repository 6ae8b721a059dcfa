namespace TaskRecovery.Claims;

/// <summary>Counts outcomes that are not stored yet, and lets a stopping host wait until there are none.</summary>
internal sealed class UnstoredCount
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _drained;
    private int _count;

    /// <summary>How many outcomes are not stored yet.</summary>
    public int Value => Volatile.Read(ref _count);

    public void Increment() => Interlocked.Increment(ref _count);

    public void Subtract(int stored)
    {
        if (Interlocked.Add(ref _count, -stored) == 0)
        {
            lock (_gate)
            {
                _drained?.TrySetResult();
                _drained = null;
            }
        }
    }

    /// <summary>Waits until every outcome counted so far is stored.</summary>
    /// <returns>How many outcomes were not stored when <paramref name="cancellationToken"/> was cancelled.</returns>
    public async Task<int> DrainAsync(CancellationToken cancellationToken)
    {
        Task drained;
        lock (_gate)
        {
            if (Value == 0)
            {
                return 0;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            drained = _drained.Task;
        }

        await drained.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Value;
    }
}
