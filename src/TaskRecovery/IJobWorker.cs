namespace TaskRecovery;

/// <summary>Runs the entries of one kind. A new instance is created in its own dependency injection scope for every attempt.</summary>
/// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
public interface IJobWorker<TArgs>
    where TArgs : notnull
{
    /// <summary>Runs one entry. If the method returns, the entry is completed. If it throws, the entry is retried later, until its attempts
    /// are used up.</summary>
    /// <remarks>An entry runs at least once: after a crash it runs again. Use <see cref="WorkContext.StepAsync{T}"/> for parts that must
    /// not be repeated, or <see cref="WorkContext.CompleteAsync"/> to commit the effects and the outcome in one transaction.</remarks>
    /// <param name="context">The entry, with methods to store progress and to end the entry other than by returning or throwing.</param>
    /// <param name="cancellationToken">Cancelled on shutdown, on a cancel request, on timeout and when the claim is lost;
    /// <see cref="WorkContext.StopReason"/> says why.</param>
    Task WorkAsync(WorkContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>Returns the delay before the next attempt after <paramref name="exception"/>.</summary>
    /// <returns><see langword="null"/> for the default, an exponential backoff with jitter: see
    /// <see cref="WorkerOptions.RetryBase"/>.</returns>
    TimeSpan? NextRetry(WorkContext<TArgs> context, Exception exception) => null;
}

/// <summary>Middleware that runs around every attempt, as in ASP.NET Core. It is registered with <c>AddMiddleware</c>; the first registered
/// is the outermost.</summary>
public interface IWorkMiddleware
{
    /// <summary>Runs around the rest of the pipeline, which it starts by calling <paramref name="next"/>.</summary>
    /// <param name="context">The entry that is being run.</param>
    /// <param name="next">The rest of the pipeline, which ends with the worker.</param>
    /// <param name="cancellationToken">The token passed to the worker; pass it on to <paramref name="next"/>.</param>
    Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken);
}

/// <summary>The rest of the pipeline that runs an entry.</summary>
public delegate Task WorkDelegate(WorkContext context, CancellationToken cancellationToken);

/// <summary>Why a worker's token was cancelled.</summary>
public enum StopReason
{
    /// <summary>The token is not cancelled.</summary>
    None = 0,

    /// <summary>The host is stopping. The entry is released without using up an attempt.</summary>
    Shutdown,

    /// <summary>Cancellation of the entry was requested.</summary>
    Cancelled,

    /// <summary>The attempt exceeded its time limit and counts as failed.</summary>
    TimedOut,

    /// <summary>The node may no longer hold the claim on the entry. The store rejects further writes of this attempt.</summary>
    ClaimLost,
}

/// <summary>Sets the kind of an arguments type. The kind, not the type name, is stored with entries, so the type can be renamed or
/// moved.</summary>
/// <param name="name">The kind, for example <c>mail.send</c>. At most 100 bytes of UTF-8.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class JobKindAttribute(string name) : Attribute
{
    /// <summary>The kind that is stored with entries.</summary>
    public string Name { get; } = name;
}
