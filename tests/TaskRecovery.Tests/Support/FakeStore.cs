using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>What nodes and recovery need of a store, in memory. Everything else belongs to the conformance suite and is not here.</summary>
internal sealed class FakeStore : IQueueStore
{
    private readonly Queue<RecoveryReport> _sweeps = new();

    public FakeNodeTable Nodes { get; } = new();

    public StoreTraits Traits { get; set; } = new()
    {
        System = "fake",
        UsesSessionLocks = true,
        LockProvesDeath = false,
        PollInterval = TimeSpan.FromSeconds(1),
        IsServerRejectingAll = exception => exception.InnerException is InvalidOperationException,
    };

    /// <summary>What was called, in order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>What every asynchronous call throws.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The claims the store holds, by node.</summary>
    public Dictionary<Guid, List<long>> Claims { get; } = [];

    public List<long> GivenBack { get; } = [];

    /// <summary>Who requested each sweep and each recovery of tasks; <see langword="null"/> for a node.</summary>
    public List<AuditInfo?> Audits { get; } = [];

    public List<QueueDepth> Depths { get; } = [];

    /// <summary>How many more purges find something.</summary>
    public int PurgesLeft { get; set; }

    public void NextSweep(RecoveryReport report) => _sweeps.Enqueue(report);

    public Task PrepareAsync(CancellationToken cancellationToken)
    {
        Record("prepare");
        return Task.CompletedTask;
    }

    public INodeSession OpenNodeSession()
    {
        lock (Calls)
        {
            Calls.Add("session");
        }

        return Nodes.Open();
    }

    public ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        Record("sweep");
        lock (Audits)
        {
            Audits.Add(audit);
        }

        return new(_sweeps.TryDequeue(out var report) ? report : RecoveryReport.Empty);
    }

    public ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken)
    {
        Record("list claims");
        return new([.. Claims.GetValueOrDefault(nodeId, [])]);
    }

    public ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        Record("give back");
        GivenBack.AddRange(fences);
        Claims[nodeId].RemoveAll(fences.Contains);
        return new(fences.Count);
    }

    public ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        Record("purge");
        return new(PurgesLeft-- > 0);
    }

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken)
    {
        Record("measure");
        return new([.. Depths]);
    }

    public ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds) => throw new NotSupportedException();

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<OperatorResult> RetryAsync(long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    internal void Record(string call)
    {
        lock (Calls)
        {
            Calls.Add(call);
        }

        if (Failure is { } failure)
        {
            throw failure;
        }
    }
}

/// <summary>What recovery needs of a job store.</summary>
internal sealed class FakeJobStore(FakeStore store) : NoJobs
{
    public RecoveryReport TaskReport { get; set; } = RecoveryReport.Empty;

    /// <summary>What the recovery of jobs returns.</summary>
    public Task<JobRecovery> Answer { get; set; } = Task.FromResult(new JobRecovery(2, []));

    /// <summary>When the next run of every job is due.</summary>
    public DateTimeOffset? NextRunAt { get; set; }

    public override Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken)
        => Task.FromResult<Job?>(new Job
        {
            Id = Guid.Empty,
            Name = name,
            Kind = "report",
            Args = "{}",
            Schedule = Schedule.Every(TimeSpan.FromHours(1)),
            State = JobState.Active,
            Queue = "default",
            NextRunAt = NextRunAt,
        });

    public override Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        store.Record("recover jobs");
        return Answer;
    }

    public override Task<RecoveryReport> RecoverTasksAsync(
        TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        store.Record("recover tasks");
        lock (store.Audits)
        {
            store.Audits.Add(audit);
        }

        return Task.FromResult(TaskReport);
    }
}
