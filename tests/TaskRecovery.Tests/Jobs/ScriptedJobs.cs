using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

/// <summary>A job store that answers as the test says.</summary>
internal sealed class ScriptedJobs : IJobStore
{
    public Job Job { get; set; } = new()
    {
        Id = Guid.NewGuid(),
        Name = "digest",
        Kind = "test.work",
        Args = """{"number":7}""",
        Schedule = Schedule.Every(TimeSpan.FromSeconds(1)),
        State = JobState.Active,
        Queue = "default",
    };

    public Func<TaskStartRequest, int, TaskStart>? OnStart { get; set; }

    public List<TaskStartRequest> Starts { get; } = [];

    public List<NewJob> Upserts { get; } = [];

    public TaskRecord? Task { get; set; }

    public bool HasJob { get; set; } = true;

    public TaskRecord NewTask(TaskState state = TaskState.Running, int crashes = 0)
        => new() { Id = Guid.CreateVersion7(), JobId = Job.Id, State = state, Crashes = crashes, DueAt = DateTimeOffset.UnixEpoch };

    /// <summary>What the answer to a start waits for.</summary>
    public Func<TaskStartRequest, Task> StartAnswers { get; set; } = static _ => System.Threading.Tasks.Task.CompletedTask;

    /// <summary>A host with these jobs.</summary>
    public WorkHost CreateHost(
        Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null, FakeQueueStore? store = null)
        => WorkHost.Create(
            store ?? new FakeQueueStore(),
            builder =>
            {
                builder.Services.AddSingleton(new TestRun());
                builder.Services.AddSingleton(new TestWork());
                builder.Services.AddSingleton<IJobStore>(this);
                register(builder);
            },
            options =>
            {
                // Otherwise the start waits 5 s for its steps.
                options.StartupMode = StartupMode.FailFast;
                configure?.Invoke(options);
            });

    public async Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        int count;
        lock (Starts)
        {
            Starts.Add(request);
            count = Starts.Count;
        }

        await StartAnswers(request);
        return OnStart!(request, count);
    }

    /// <summary>The jobs that another transaction has locked.</summary>
    public HashSet<string> Locked { get; } = [];

    public Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
    {
        ThrowIfLocked(job.Definition.Name);
        Upserts.Add(job);
        return System.Threading.Tasks.Task.FromResult(Job with { Name = job.Definition.Name });
    }

    public async Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        UpsertCalls++;
        var stored = new List<Job>();
        foreach (var job in jobs)
        {
            stored.Add(await UpsertAsync(job, cancellationToken));
        }

        return stored;
    }

    /// <summary>How often several jobs were stored at once.</summary>
    public int UpsertCalls { get; private set; }

    public Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult(HasJob ? Job : null);

    public Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult(Task);

    public Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult<IReadOnlyList<TaskRecord>>(Task is null ? [] : [Task]);

    public Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult<IReadOnlyList<TaskRecord>>(Task is null || Task.State != state ? [] : [Task]);

    public JobRecovery Recovery { get; set; } = new(0, []);

    public Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken) => System.Threading.Tasks.Task.FromResult(Recovery);

    public JobRecovery Correction { get; set; } = new(0, []);

    public RecoveryReport TaskReport { get; set; } = RecoveryReport.Empty;

    public Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken) => System.Threading.Tasks.Task.FromResult(Correction);

    public Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult(TaskReport);

    public List<DateTimeOffset> Backfilled { get; } = [];

    public Task<int> BackfillAsync(Guid jobId, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit, CancellationToken cancellationToken)
    {
        Backfilled.AddRange(dues);
        return System.Threading.Tasks.Task.FromResult(dues.Count);
    }

    public Task<long?> TriggerAsync(Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult<long?>(null);

    public Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult(HasJob ? Job : null);

    /// <summary>Jobs that the application declared before.</summary>
    public List<DeclaredJob> Declared { get; } = [];

    public Task<IReadOnlyList<DeclaredJob>> ListDeclaredAsync(string application, CancellationToken cancellationToken)
        => System.Threading.Tasks.Task.FromResult<IReadOnlyList<DeclaredJob>>(
            [.. Declared, .. Upserts.Where(job => job.DeclaredBy == application)
                .Select(job => new DeclaredJob(job.Definition.Name, job.DeclaredAs, false))]);

    public Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

    public List<string> Orphaned { get; } = [];

    public Task SetOrphanedAsync(string application, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        Orphaned.AddRange(names.Where(name => !Locked.Contains(name)));
        return System.Threading.Tasks.Task.CompletedTask;
    }

    /// <summary>How long the orphans have been orphans.</summary>
    public TimeSpan OrphanedFor { get; set; } = TimeSpan.FromDays(1);

    public Task<bool> DeleteOrphanAsync(
        string application, string name, TimeSpan orphanedFor, AuditInfo audit, CancellationToken cancellationToken)
    {
        ThrowIfLocked(name);
        return OrphanedFor < orphanedFor ? System.Threading.Tasks.Task.FromResult(false) : DeleteAsync(Job.Id, audit, cancellationToken);
    }

    public PauseInfo? Pause { get; private set; }

    public Task<bool> PauseAsync(Guid jobId, PauseInfo pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        Pause = pause;
        return System.Threading.Tasks.Task.FromResult(HasJob && Job.State != JobState.Ended);
    }

    /// <summary>What a resume throws; <see langword="null"/> if it succeeds.</summary>
    public Exception? ResumeFailure { get; set; }

    public Task<OperatorResult> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
        => ResumeFailure is { } failure
            ? System.Threading.Tasks.Task.FromException<OperatorResult>(failure)
            : System.Threading.Tasks.Task.FromResult(HasJob ? OperatorResult.Done : OperatorResult.NotFound);

    /// <summary>Called for each attempt to change a locked job, with the number of attempts.</summary>
    public Action<int>? OnLocked { get; set; }

    private int _lockedAttempts;

    private void ThrowIfLocked(string name)
    {
        if (Locked.Contains(name))
        {
            OnLocked?.Invoke(++_lockedAttempts);
            throw new StoreUnavailableException("The job is locked.") { IsLockTimeout = true };
        }
    }

    public List<Guid> Deleted { get; } = [];

    public Task<bool> DeleteAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
    {
        Deleted.Add(jobId);
        return System.Threading.Tasks.Task.FromResult(HasJob);
    }
}

/// <summary>What <see cref="TestHandler"/> does, said by the test.</summary>
internal sealed class TestRun
{
    public Func<TaskContext<Support.TestArgs>, Task> Do { get; set; } = static _ => Task.CompletedTask;
}

internal sealed class TestHandler(TestRun run) : ITaskHandler<Support.TestArgs>
{
    public Task RunAsync(TaskContext<Support.TestArgs> context, CancellationToken cancellationToken) => run.Do(context);

    public TimeSpan? NextRetry(TaskContext<Support.TestArgs> context, Exception exception) => TimeSpan.FromHours(context.Attempt);
}

internal sealed class SecondTestHandler : ITaskHandler<Support.TestArgs>
{
    public Task RunAsync(TaskContext<Support.TestArgs> context, CancellationToken cancellationToken) => Task.CompletedTask;
}
