
namespace TaskRecovery;

/// <summary>Runs the tasks of a job. A new instance is created in its own dependency injection scope for every attempt.</summary>
/// <typeparam name="TArgs">The job's arguments.</typeparam>
public interface ITaskHandler<TArgs>
    where TArgs : notnull
{
    /// <summary>Runs one task. If the method returns, the task is completed. If it throws, the task is retried later, until its attempts
    /// are spent.</summary>
    /// <param name="context">The task, with methods to store progress and to end it other than by returning or throwing.</param>
    /// <param name="cancellationToken">Cancelled on shutdown, on a cancel request, on timeout and when the claim is lost;
    /// <see cref="WorkContext.StopReason"/> says why. When it is cancelled, let <see cref="OperationCanceledException"/> leave the method
    /// (<see cref="CancellationToken.ThrowIfCancellationRequested"/>): if the method returns, its task is completed, even then.</param>
    Task RunAsync(TaskContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>Returns the delay before the next attempt after <paramref name="exception"/>.</summary>
    /// <remarks>Called on the instance that has run the attempt. A negative delay counts as <see langword="null"/>, and one above 36,500
    /// days as 36,500 days. If the method throws, the default is used. A method of this name with other parameters is never called: to
    /// have the compiler check them, implement it explicitly (<c>TimeSpan? ITaskHandler&lt;Report&gt;.NextRetry(...)</c>). To have no
    /// further attempt, catch the exception and call <see cref="WorkContext.Fail"/>.</remarks>
    /// <returns><see langword="null"/> for the default, an exponential backoff with jitter: see
    /// <see cref="WorkerOptions.RetryBase"/>.</returns>
    TimeSpan? NextRetry(TaskContext<TArgs> context, Exception exception) => null;
}
