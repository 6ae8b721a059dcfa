namespace TaskRecovery.Hosting;

/// <summary>A step of the start-up hook between task recovery and job recovery; steps run in the order of registration. In a process that
/// runs no entries, it runs as soon as the store is prepared. It must be safe to repeat.</summary>
internal interface IStartupStep
{
    /// <summary>Whether the step could not do everything when it ran last, because another transaction has locked a row. It is then
    /// completed while this node works.</summary>
    bool IsIncomplete => false;

    /// <summary>Runs the step.</summary>
    Task RunAsync(CancellationToken cancellationToken);

    /// <summary>Does what the step could not do when it ran last, and nothing else: the start may be long ago.</summary>
    Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
