namespace TaskRecovery.Hosting;

/// <summary>A step of the start-up hook between task recovery and job recovery; steps run in the order of registration. In a process that
/// runs no entries, it runs as soon as the store is prepared. It must be safe to repeat.</summary>
internal interface IStartupStep
{
    /// <summary>Whether the step could not do everything when it ran last, because another transaction has locked a row. It is then run
    /// again while this node works.</summary>
    bool IsIncomplete => false;

    /// <summary>Runs the step.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
