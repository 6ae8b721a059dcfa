namespace TaskRecovery;

/// <summary>Works the entries of one kind. Created in a dependency injection scope of its own for every attempt.</summary>
/// <typeparam name="TArgs">The arguments of the kind.</typeparam>
public interface IJobWorker<TArgs>
    where TArgs : notnull
{
    /// <summary>Does the work of one entry. Returning completes it; throwing lets it be tried again later, up to its attempts.</summary>
    /// <remarks>An entry runs at least once: after a crash it runs again. Use <see cref="WorkContext.StepAsync{T}"/> for parts that must not be repeated, or
    /// <see cref="WorkContext.CompleteAsync"/> to commit effects and outcome together.</remarks>
    /// <param name="context">The entry, and how to end it other than by returning or throwing.</param>
    /// <param name="cancellationToken">Fires on shutdown, cancel, timeout and a lost claim; <see cref="WorkContext.StopReason"/> says which.</param>
    Task WorkAsync(WorkContext<TArgs> context, CancellationToken cancellationToken);

    /// <summary>How long to wait before the next attempt after <paramref name="exception"/>.</summary>
    /// <returns><see langword="null"/> for the default: exponential with jitter, see <see cref="WorkerOptions.RetryBase"/>.</returns>
    TimeSpan? NextRetry(WorkContext<TArgs> context, Exception exception) => null;
}

/// <summary>Code around every execution, as in a web pipeline; registered with <c>AddMiddleware</c> and run in that order.</summary>
public interface IWorkMiddleware
{
    /// <summary>Runs before and after the rest of the pipeline.</summary>
    /// <param name="context">The entry being worked.</param>
    /// <param name="next">The rest of the pipeline, with the worker at its end.</param>
    /// <param name="cancellationToken">The worker's own token.</param>
    Task InvokeAsync(WorkContext context, WorkDelegate next, CancellationToken cancellationToken);
}

/// <summary>The rest of a work pipeline.</summary>
public delegate Task WorkDelegate(WorkContext context, CancellationToken cancellationToken);

/// <summary>Why a worker's token was cancelled.</summary>
public enum StopReason
{
    /// <summary>It has not fired.</summary>
    None = 0,

    /// <summary>The host stops. The entry is released without spending an attempt.</summary>
    Shutdown,

    /// <summary>Someone asked for the entry to be cancelled.</summary>
    Cancelled,

    /// <summary>The attempt ran over its time limit and counts as failed.</summary>
    TimedOut,

    /// <summary>The node can't be sure any more that the entry is its own. Nothing that the worker still does is accepted.</summary>
    ClaimLost,
}

/// <summary>Names the kind of an arguments type: a stable name that is stored, so that the type itself may be renamed or moved.</summary>
/// <param name="name">The kind, for example <c>mail.send</c>. At most 100 bytes of UTF-8.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class JobKindAttribute(string name) : Attribute
{
    /// <summary>The kind.</summary>
    public string Name { get; } = name;
}
