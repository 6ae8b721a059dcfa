namespace TaskRecovery.Recovery;

/// <summary>Open while the start-up hook is through for this node's life; nothing is claimed before. A new life closes it until the hook has been repeated.</summary>
internal sealed class StartupGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _open = NewOpening();
    private int _life;

    /// <summary>Whether the start-up hook is through.</summary>
    public bool IsOpen => Volatile.Read(ref _open).Task.IsCompletedSuccessfully;

    /// <summary>How many lives have closed it: the hook says with it for which of them it was repeated.</summary>
    internal int Life => Volatile.Read(ref _life);

    /// <summary>Waits for the start-up hook.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => Volatile.Read(ref _open).Task.WaitAsync(cancellationToken);

    /// <summary>Says that the start-up hook is through.</summary>
    internal void Open() => Open(Life);

    /// <summary>Says that the start-up hook is through for a life; changes nothing if another one has begun meanwhile.</summary>
    internal void Open(int life)
    {
        lock (_lock)
        {
            if (life == _life)
            {
                _open.TrySetResult();
            }
        }
    }

    /// <summary>Another life begins: what the hook did for the one before may be gone with it.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _life++;
            if (_open.Task.IsCompleted)
            {
                Volatile.Write(ref _open, NewOpening());
            }
        }
    }

    private static TaskCompletionSource NewOpening() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Something that the start-up hook does after task recovery and before job recovery, in the order of registration; in a process that works nothing, as soon as the store is prepared. Must be safe to repeat.</summary>
internal interface IStartupStep
{
    /// <summary>Does it.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
