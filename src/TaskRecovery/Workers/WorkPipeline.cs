using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Workers;

/// <summary>A middleware as it was registered.</summary>
internal sealed record MiddlewareRegistration(Type Type);

/// <summary>Puts the middleware, in the order of their registration, around the end of a pipeline. Built once per kind: nothing is built per entry.</summary>
internal sealed class WorkPipeline(IEnumerable<MiddlewareRegistration> middleware)
{
    private readonly Type[] _middleware = [.. middleware.Select(registration => registration.Type)];

    public WorkDelegate Build(WorkDelegate end)
    {
        // After whatever middleware waited for.
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
        => (context, cancellationToken) => ((IWorkMiddleware)context.Services.GetRequiredService(type)).InvokeAsync(context, next, cancellationToken);
}
