using System.Text;
using TaskRecovery.Queue;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Runs one task handler instance for a task that exists only in the test.</summary>
internal sealed class TaskRunner<TArgs>(ITaskHandler<TArgs> handler, TaskHandlerTestOptions options, EntryJson json) : KindRunner
    where TArgs : notnull
{
    private readonly WorkDelegate _pipeline = InstancePipeline.Build(
        options.Middleware, (context, cancellationToken) => handler.RunAsync((TaskContext<TArgs>)context, cancellationToken));

    public override Task RunAsync(WorkRun run, CancellationToken cancellationToken)
    {
        run.TaskId = options.TaskId;
        var job = new Job
        {
            Id = options.JobId,
            Name = options.JobName,
            Kind = run.Entry.Kind,
            Args = Encoding.UTF8.GetString(run.Entry.Args.Span),
            Schedule = Schedule.Every(TimeSpan.FromDays(1)),
            State = JobState.Active,
            Queue = run.Queue,
            MaxAttempts = run.Entry.MaxAttempts,
            CreatedAt = run.Entry.CreatedAt,
            UpdatedAt = run.Entry.CreatedAt,
        };
        var task = new TaskRecord
        {
            Id = options.TaskId,
            JobId = options.JobId,
            EntryId = run.Entry.Id,
            State = TaskState.Running,
            DueAt = options.DueAt,
            Attempt = run.Entry.Attempt,
            Crashes = run.Entry.Crashes,
            CreatedAt = run.Entry.CreatedAt,
        };
        var context = new TaskContext<TArgs>(run, EntryArgs.Read<TArgs>(json, run.Entry.Kind, run.Entry.Args), job, task);
        run.Context = context;
        return _pipeline(context, cancellationToken);
    }

    public override TimeSpan? NextRetry(WorkRun run, Exception exception)
        => run.Context is TaskContext<TArgs> context ? handler.NextRetry(context, exception) : null;
}
