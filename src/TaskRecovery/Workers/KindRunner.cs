namespace TaskRecovery.Workers;

/// <summary>Runs the entries of one kind: reads the arguments, makes the context, calls the pipeline with the worker at its end.</summary>
internal abstract class KindRunner
{
    /// <summary>Runs one entry in its scope. How it ended is what <paramref name="run"/> was told (<see cref="WorkRun.End"/>), else completed; an exception is a failure.</summary>
    /// <exception cref="InvalidArgsException">The arguments could not be read.</exception>
    public abstract Task RunAsync(WorkRun run, CancellationToken cancellationToken);

    /// <summary>The worker's own idea of the wait before the next attempt.</summary>
    public abstract TimeSpan? NextRetry(WorkRun run, Exception exception);
}
