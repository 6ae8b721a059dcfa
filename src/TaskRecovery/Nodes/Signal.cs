namespace TaskRecovery.Nodes;

/// <summary>Wakes one loop before its time. Signals that come while it is busy are kept, as one.</summary>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _set;

    /// <summary>Wakes the loop, or lets its next wait return at once.</summary>
    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            waiter = _waiter;
            _waiter = null;
            _set = waiter is null;
        }

        waiter?.TrySetResult();
    }

    /// <summary>Waits for the signal or for <paramref name="timeout"/>. One loop waits at a time.</summary>
    /// <returns>Whether the signal came.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (_set)
            {
                _set = false;
                return true;
            }

            _waiter = waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        try
        {
            await waiter.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            lock (_gate)
            {
                if (_waiter == waiter)
                {
                    _waiter = null;
                }
            }
        }
    }
}

/// <summary>What the node's thread asks the recovery loops to do.</summary>
internal sealed class NodeSignals
{
    /// <summary>Some dead node has claims.</summary>
    public Signal SweepDue { get; } = new();

    /// <summary>An answer may have been lost.</summary>
    public Signal ReconcileDue { get; } = new();
}
