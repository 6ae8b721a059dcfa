namespace TaskRecovery.Testing.Hosts;

/// <summary>Runs the entries of one host for its test.</summary>
internal abstract class TestEngine
{
    /// <summary>Runs all that is due, and what it enqueues.</summary>
    public abstract Task<IReadOnlyList<DrainedRun>> DrainAsync(DrainOptions options, CancellationToken cancellationToken);

    /// <summary>Runs what is due until a run reaches the place, and kills the node there.</summary>
    /// <param name="at">The place; <see langword="null"/> to kill the node now.</param>
    /// <param name="options">What to run until then.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The run that has reached the place; <see langword="null"/> if there is no place.</returns>
    public abstract Task<KilledRun?> KillAsync(Place? at, DrainOptions options, CancellationToken cancellationToken);

    /// <summary>Stops the node and starts another one.</summary>
    public abstract Task RestartAsync(CancellationToken cancellationToken);

    /// <summary>Stops the node, forgets everything, and starts another one.</summary>
    /// <param name="empty">Removes what is stored.</param>
    /// <param name="cancellationToken">Cancels the reset.</param>
    public abstract Task ResetAsync(Func<CancellationToken, Task> empty, CancellationToken cancellationToken);

    /// <summary>How long until the next entry is due; <see langword="null"/> if none waits.</summary>
    public abstract Task<TimeSpan?> FindNextDueAsync(DrainOptions options, CancellationToken cancellationToken);

    /// <summary>Called after the time was advanced.</summary>
    public abstract void TimeAdvanced();

    /// <summary>Stops the node.</summary>
    public abstract void Stop();
}
