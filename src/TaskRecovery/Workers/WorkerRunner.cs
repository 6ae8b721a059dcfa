using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Queue;

namespace TaskRecovery.Workers;

/// <summary>Runs the entries of an <see cref="IJobWorker{TArgs}"/>.</summary>
internal sealed class WorkerRunner<TArgs, TWorker>(WorkPipeline pipeline, EntryJson json) : KindRunner
    where TArgs : notnull
    where TWorker : class, IJobWorker<TArgs>
{
    private readonly WorkDelegate _pipeline = pipeline.Build(static (context, cancellationToken) =>
    {
        var worker = context.Services.GetRequiredService<TWorker>();
        context.Run.Handler = worker;
        return worker.WorkAsync((WorkContext<TArgs>)context, cancellationToken);
    });

    public override Task RunAsync(WorkRun run, CancellationToken cancellationToken)
    {
        var context = new WorkContext<TArgs>(run, EntryArgs.Read<TArgs>(json, run.Entry.Kind, run.Entry.Args));
        run.Context = context;
        return _pipeline(context, cancellationToken);
    }

    public override TimeSpan? NextRetry(WorkRun run, Exception exception)
        => run.Context is WorkContext<TArgs> context ? WorkerOf(run).NextRetry(context, exception) : null;

    // Middleware may have thrown before there was a worker.
    private static TWorker WorkerOf(WorkRun run) => run.Handler as TWorker ?? run.Services.GetRequiredService<TWorker>();
}
