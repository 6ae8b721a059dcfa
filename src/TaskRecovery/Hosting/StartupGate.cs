namespace TaskRecovery.Hosting;

/// <summary>Open once the start-up hook is complete for the current registration; nothing is claimed before. A new registration closes it
/// until the hook has run again.</summary>
internal sealed class StartupGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _open = NewOpening();
    private int _registrations;

    /// <summary>Whether the start-up hook is complete.</summary>
    public bool IsOpen => Volatile.Read(ref _open).Task.IsCompletedSuccessfully;

    /// <summary>How many new registrations have closed the gate. The hook passes it to <see cref="Open(int)"/> to name the
    /// registration for which it ran.</summary>
    internal int Registrations => Volatile.Read(ref _registrations);

    /// <summary>Waits for the start-up hook.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => Volatile.Read(ref _open).Task.WaitAsync(cancellationToken);

    /// <summary>Opens the gate for the current registration.</summary>
    internal void Open() => Open(Registrations);

    /// <summary>Opens the gate after the hook completed for a registration; does nothing if another registration has begun
    /// meanwhile.</summary>
    internal void Open(int registrations)
    {
        lock (_lock)
        {
            if (registrations == _registrations)
            {
                _open.TrySetResult();
            }
        }
    }

    /// <summary>Closes the gate for a new registration: the changes that the hook made for the previous one may be lost.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _registrations++;
            if (_open.Task.IsCompleted)
            {
                Volatile.Write(ref _open, NewOpening());
            }
        }
    }

    private static TaskCompletionSource NewOpening() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
