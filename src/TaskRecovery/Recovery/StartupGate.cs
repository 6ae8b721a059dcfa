namespace TaskRecovery.Recovery;

/// <summary>Opens when the start-up hook is through; nothing is claimed before.</summary>
internal sealed class StartupGate
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the start-up hook is through.</summary>
    public bool IsOpen => _open.Task.IsCompletedSuccessfully;

    /// <summary>Waits for the start-up hook.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _open.Task.WaitAsync(cancellationToken);

    /// <summary>Says that the start-up hook is through.</summary>
    internal void Open() => _open.TrySetResult();
}

/// <summary>Something that the start-up hook does after task recovery and before job recovery, in the order of registration; in a process that works nothing, as soon as the store is prepared. Must be safe to repeat.</summary>
internal interface IStartupStep
{
    /// <summary>Does it.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
