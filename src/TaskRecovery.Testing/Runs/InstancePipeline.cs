using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Wraps the end of a pipeline in instances of middleware, as <see cref="WorkPipeline"/> does with their types.</summary>
internal static class InstancePipeline
{
    private static readonly WorkPipeline Empty = new([]);

    public static WorkDelegate Build(IReadOnlyList<IWorkMiddleware> middleware, WorkDelegate end)
    {
        var next = Empty.Build(end);
        for (var i = middleware.Count - 1; i >= 0; i--)
        {
            next = Wrap(middleware[i], next);
        }

        return next;
    }

    private static WorkDelegate Wrap(IWorkMiddleware middleware, WorkDelegate next)
        => (context, cancellationToken) => middleware.InvokeAsync(context, next, cancellationToken);
}
