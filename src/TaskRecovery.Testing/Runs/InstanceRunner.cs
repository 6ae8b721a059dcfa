using TaskRecovery.Queue;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Runs one worker instance with instances of middleware.</summary>
internal sealed class InstanceRunner<TArgs>(
    IJobWorker<TArgs> worker, IReadOnlyList<IWorkMiddleware> middleware, EntryJson json) : KindRunner
    where TArgs : notnull
{
    private readonly WorkDelegate _pipeline = InstancePipeline.Build(
        middleware, (context, cancellationToken) => worker.WorkAsync((WorkContext<TArgs>)context, cancellationToken));

    public override Task RunAsync(WorkRun run, CancellationToken cancellationToken)
    {
        var context = new WorkContext<TArgs>(run, EntryArgs.Read<TArgs>(json, run.Entry.Kind, run.Entry.Args));
        run.Context = context;
        return _pipeline(context, cancellationToken);
    }

    public override TimeSpan? NextRetry(WorkRun run, Exception exception)
        => run.Context is WorkContext<TArgs> context ? worker.NextRetry(context, exception) : null;
}
