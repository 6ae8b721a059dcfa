namespace TaskRecovery;

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
