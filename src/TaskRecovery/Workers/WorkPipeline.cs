using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Workers;

/// <summary>Wraps the end of a pipeline in the middleware, in the order of their registration. The pipeline is built once per kind, not
/// once per entry.</summary>
internal sealed class WorkPipeline(IEnumerable<MiddlewareRegistration> middleware)
{
    private readonly Type[] _middleware = [.. middleware.Select(registration => registration.Type)];

    public WorkDelegate Build(WorkDelegate end)
    {
        // Check after the middleware, which may have waited so long that the lease was lost.
        WorkDelegate next = (context, cancellationToken) =>
        {
            context.Run.ThrowIfOver();
            return end(context, cancellationToken);
        };
        for (var i = _middleware.Length - 1; i >= 0; i--)
        {
            next = Wrap(_middleware[i], next);
        }

        return next;
    }

    private static WorkDelegate Wrap(Type type, WorkDelegate next)
        => (context, cancellationToken) => ((IWorkMiddleware)context.Services.GetRequiredService(type)).InvokeAsync(
            context, next, cancellationToken);
}
