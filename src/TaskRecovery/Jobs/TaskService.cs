using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>The task service for users and the start-up hook.</summary>
internal sealed class TaskService(
    IJobStore store, IQueueMonitor monitor, IQueueOperator actions, ApplicationActor actor, IOptions<TaskRecoveryOptions> options)
    : ITaskService
{
    public Task<TaskRecord?> GetAsync(Guid taskId, CancellationToken cancellationToken = default)
        => store.FindTaskAsync(taskId, cancellationToken);

    public Task<TaskPage> ListAsync(TaskQuery? query = null, CancellationToken cancellationToken = default)
        => monitor.ListTasksAsync(query ?? new TaskQuery(), cancellationToken).AsTask();

    public Task<IReadOnlyList<TaskRecord>> GetIncompleteTasksByJobIdAsync(Guid jobId, CancellationToken cancellationToken = default)
        => store.ListIncompleteTasksAsync(jobId, cancellationToken);

    public async Task<bool> HasRunningTasksAsync(Guid jobId, CancellationToken cancellationToken = default)
        => (await store.ListTasksAsync(jobId, TaskState.Running, 1, cancellationToken).ConfigureAwait(false)).Count > 0;

    public async Task<TaskRecord?> GetCurrentTaskAsync(Guid jobId, CancellationToken cancellationToken = default)
    {
        var incomplete = await store.ListIncompleteTasksAsync(jobId, cancellationToken).ConfigureAwait(false);
        return incomplete.LastOrDefault(static task => task.State == TaskState.Running) ?? (incomplete.Count > 0 ? incomplete[^1] : null);
    }

    public async Task<TaskValidity> IsTaskValidAsync(Guid taskId, CancellationToken cancellationToken = default)
    {
        var task = await store.FindTaskAsync(taskId, cancellationToken).ConfigureAwait(false);
        var job = task is null ? null : await store.FindAsync(task.JobId, cancellationToken).ConfigureAwait(false);
        var reason = WhyInvalid(task, job, options.Value.Recovery.MaxCrashes);
        return new TaskValidity(reason is null, reason);
    }

    /// <summary>Why a task may not run again; <see langword="null"/> if it may.</summary>
    /// <remarks>A job that has ended does not make its task invalid: a job with a single run ends because of that task.</remarks>
    internal static string? WhyInvalid(TaskRecord? task, Job? job, int maxCrashes) => (task, job) switch
    {
        (null, _) => EndReasons.TaskNotFound,
        ({ State: TaskState.Completed or TaskState.Failed or TaskState.Cancelled }, _) => EndReasons.TaskFinished,
        (_, null) => EndReasons.JobDeleted,
        (_, { State: JobState.Paused }) => EndReasons.JobNotActive,
        _ => task.Crashes > maxCrashes ? EndReasons.CrashLoop : null,
    };

    public Task<RecoveryReport> RecoverRunningTasksAsync(CancellationToken cancellationToken = default)
        => actions.RecoverAsync(actor.Because(), cancellationToken).AsTask();
}
