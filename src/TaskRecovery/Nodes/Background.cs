namespace TaskRecovery.Nodes;

/// <summary>Starts what lives as long as the host, outside the ambient state of the code that happens to start it: its <see cref="System.Diagnostics.Activity"/> above all.</summary>
internal static class Background
{
    /// <summary>Runs a loop on the thread pool.</summary>
    public static Task Run(Func<Task> loop)
    {
        Task running;
        using (Detach())
        {
            running = Task.Run(loop, CancellationToken.None);
        }

        return running;
    }

    /// <summary>Until this is disposed of, on the same thread, what is started inherits nothing.</summary>
    public static IDisposable? Detach() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
