namespace TaskRecovery.Hosting;

/// <summary>Starts long-running work outside the execution context of the code that starts it, so that it does not inherit that code's
/// <see cref="System.Diagnostics.Activity"/> or async locals.</summary>
internal static class Background
{
    /// <summary>Runs a loop on the thread pool, without the caller's execution context.</summary>
    public static Task Run(Func<Task> loop)
    {
        Task running;
        using (Detach())
        {
            running = Task.Run(loop, CancellationToken.None);
        }

        return running;
    }

    /// <summary>Suppresses the flow of the execution context until the result is disposed, which must happen on the same thread.</summary>
    public static IDisposable? Detach() => ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
}
