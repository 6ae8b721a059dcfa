namespace TaskRecovery.Hosting;

/// <summary>Wakes one loop early. Signals that arrive while the loop is busy are combined into one and kept.</summary>
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

    /// <summary>Waits for the signal or for <paramref name="timeout"/>. Only one caller may wait at a time.</summary>
    /// <returns><see langword="true"/> if the signal was set; <see langword="false"/> after the timeout.</returns>
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

        // A timeout is the usual case of an idle loop, and an exception would cost more than the wait.
        await waiter.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_waiter == waiter)
            {
                _waiter = null;
            }
        }

        if (waiter.Task.IsCompleted)
        {
            return true;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return false;
    }
}
