namespace TaskRecovery;

/// <summary>Runs the entries of one kind. A new instance is created in its own dependency injection scope for every attempt.</summary>
/// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
public interface IJobWorker<TArgs>
    where TArgs : notnull
{
    /// <summary>Runs one entry. If the method returns, the entry is completed. If it throws, the entry is retried later, until its attempts
    /// are spent.</summary>
    /// <remarks>An entry runs at least once: after a crash it runs again. Use <see cref="WorkContext.StepAsync{T}"/> for parts that must
    /// not be repeated, or <see cref="WorkContext.CompleteAsync"/> to commit the effects and the outcome in one transaction.</remarks>
    /// <param name="context">The entry, with methods to store progress and to end the entry other than by returning or throwing.</param>
    /// <param name="cancellationToken">Cancelled on shutdown, on a cancel request, on timeout and when the claim is lost;
    /// <see cref="WorkContext.StopReason"/> says why. When it is cancelled, let <see cref="OperationCanceledException"/> leave the method
    /// (<see cref="CancellationToken.ThrowIfCancellationRequested"/>): if the method returns, its entry is completed, even then.</param>
    Task WorkAsync(WorkContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>Returns the delay before the next attempt after <paramref name="exception"/>.</summary>
    /// <remarks>Called on the instance that has run the attempt. A negative delay counts as <see langword="null"/>, and one above 36,500
    /// days as 36,500 days. If the method throws, the default is used. A method of this name with other parameters is never called: to
    /// have the compiler check them, implement it explicitly (<c>TimeSpan? IJobWorker&lt;SendMail&gt;.NextRetry(...)</c>). To have no
    /// further attempt, catch the exception and call <see cref="WorkContext.Fail"/>.</remarks>
    /// <returns><see langword="null"/> for the default, an exponential backoff with jitter: see
    /// <see cref="WorkerOptions.RetryBase"/>.</returns>
    TimeSpan? NextRetry(WorkContext<TArgs> context, Exception exception) => null;
}
