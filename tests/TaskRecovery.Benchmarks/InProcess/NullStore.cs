using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.InProcess;

/// <summary>A store that hands out entries and forgets them: what is left is the engine.</summary>
internal sealed class NullStore(byte[] args) : IQueueStore
{
    private static readonly ValueTask<IReadOnlyList<RunOutcome>> NothingRefused = new([]);
    private readonly byte[] _args = args;
    private readonly TaskCompletionSource _allDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _left;
    private long _open;
    private long _fence;

    public StoreTraits Traits { get; } =
        new() { System = "null", UsesSessionLocks = false, LockProvesDeath = false, PollInterval = TimeSpan.FromSeconds(1) };

    /// <summary>Cancelled when all are finished.</summary>
    public Task AllDone => _allDone.Task;

    /// <summary>Has so many entries to hand out.</summary>
    public void Fill(long count) => (_open, _left) = (count, count);

    public Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public INodeSession OpenNodeSession() => new Session();

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds) => new Claimer(this);

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
        => new(new PollResult([.. request.Queues], null, [], []));

    public ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
    {
        if (Interlocked.Add(ref _open, -outcomes.Count) == 0)
        {
            _allDone.TrySetResult();
        }

        return NothingRefused;
    }

    public Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
        => Task.Delay(Timeout.Infinite, cancellationToken);

    public ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
        => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken) => new([]);

    public ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken) => new(0);

    public ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
        => new(RecoveryReport.Empty);

    public ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken) => new(false);

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken) => new([]);

    public ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken) => new([]);

    public ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
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

    private sealed class Claimer(NullStore store) : IQueueClaimer
    {
        public async ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
        {
            // As a claim over a network would, it lets go of the thread.
            await Task.Yield();
            var count = (int)Math.Min(limit, Interlocked.Read(ref store._left));
            if (count <= 0)
            {
                return ClaimBatch.Empty;
            }

            var last = Interlocked.Add(ref store._left, -count);
            var entries = new ClaimedEntry[count];
            for (var i = 0; i < count; i++)
            {
                entries[i] = new ClaimedEntry
                {
                    Id = last + i + 1,
                    Kind = "benchmark",
                    Priority = 5,
                    Args = store._args,
                    Attempt = 1,
                    MaxAttempts = 10,
                    Crashes = 0,
                    CreatedAt = DateTimeOffset.UnixEpoch,
                    Waited = TimeSpan.Zero,
                };
            }

            return new ClaimBatch(false, Interlocked.Increment(ref store._fence), entries, null);
        }

        public void Rewind()
        {
        }
    }

    private sealed class Session : INodeSession
    {
        public NodeRegistration Register(NodeIdentity identity) => new(false, false, []);

        public bool TryHold(Guid nodeId) => false;

        public HeartbeatResult SendHeartbeat(
            Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
            => new(true, [], false);

        public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null) => [];

        public void Leave(Guid nodeId)
        {
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>No jobs.</summary>
internal sealed class NoJobs : IJobStore
{
    public Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken) => Task.FromResult(new JobRecovery(0, []));

    public Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken) => Task.FromResult(new JobRecovery(0, []));

    public Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
        => Task.FromResult(RecoveryReport.Empty);

    public Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<DeclaredJob>> ListDeclaredAsync(string application, CancellationToken cancellationToken)
        => Task.FromResult<IReadOnlyList<DeclaredJob>>([]);

    public Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetOrphanedAsync(string application, IReadOnlyList<string> names, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<bool> DeleteOrphanAsync(
        string application, string name, TimeSpan orphanedFor, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<bool> PauseAsync(Guid jobId, PauseInfo pause, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<OperatorResult> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<bool> DeleteAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<int> BackfillAsync(Guid jobId, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<long?> TriggerAsync(Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => throw new NotSupportedException();
}
