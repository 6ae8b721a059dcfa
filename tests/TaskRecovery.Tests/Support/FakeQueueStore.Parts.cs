using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>An entry of <see cref="FakeQueueStore"/>.</summary>
internal sealed class FakeEntry
{
    public required long Id { get; init; }

    public required NewEntry Stored { get; set; }

    public long DueAt { get; set; }

    public int Attempt { get; set; }

    public int Crashes { get; set; }

    public bool CancelRequested { get; set; }

    public TimeSpan? StartsWithin { get; set; }

    /// <summary>How long it had been due when it was claimed.</summary>
    public TimeSpan Waited { get; set; }

    public long? Fence { get; set; }

    public string? Problem { get; set; }

    public List<RunOutcome> Outcomes { get; } = [];

    public Dictionary<string, ReadOnlyMemory<byte>> Steps { get; } = new(StringComparer.Ordinal);

    public ReadOnlyMemory<byte>? Checkpoint { get; set; }

    public RunOutcome Last => Outcomes[^1];

    public OutcomeKind[] Kinds => [.. Outcomes.Select(outcome => outcome.Kind)];

    public bool IsEnded => Outcomes.Count > 0
        && Last.Kind is (OutcomeKind.Completed or OutcomeKind.Failed or OutcomeKind.Cancelled or OutcomeKind.Superseded);

    public bool IsWaiting => Fence is null && !IsEnded;

    public bool IsDue => IsWaiting && DueAt <= Environment.TickCount64;

    public string Result => Encoding.UTF8.GetString(Last.Result.Span);

    public void Close(long fence, OutcomeKind kind) => Close(new RunOutcome { EntryId = Id, Fence = fence, Kind = kind });

    public void Close(RunOutcome outcome)
    {
        Outcomes.Add(outcome);
        Fence = null;
        Attempt += outcome.Kind == OutcomeKind.Retried ? 1 : 0;
        Crashes += outcome.Kind == OutcomeKind.Lost ? 1 : 0;
        DueAt = FakeQueueStore.DueAt(outcome.Delay);
    }

    public ClaimedEntry Claimed(bool knowsFirstRuns) => new()
    {
        Id = Id,
        Kind = Stored.Kind,
        Priority = Stored.Priority,
        Args = Stored.Args,
        Attempt = Attempt + 1,
        MaxAttempts = Stored.MaxAttempts,
        Crashes = Crashes,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Waited = Waited,
        HasUniqueKey = Stored.UniqueKey is not null,
        CancelRequested = CancelRequested,
        IsFirstRun = knowsFirstRuns && Outcomes.Count == 0,
        Timeout = Stored.Timeout,
        StartsWithin = StartsWithin,
        Metadata = Stored.Metadata,
        TraceParent = Stored.TraceParent,
        Problem = Problem,
    };
}

/// <summary>A claim of <see cref="FakeQueueStore"/>: its node, and its entries without an outcome.</summary>
internal sealed record FakeClaim(Guid Node, HashSet<long> Open);

internal sealed class FakeClaimer(FakeQueueStore store, Guid node, string queue, IReadOnlyCollection<string> kinds) : IQueueClaimer
{
    public Guid Node => node;

    public string Queue => queue;

    public IReadOnlyCollection<string> Kinds => kinds;

    public async ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
    {
        var batch = await store.Claim(this, limit, suspects);
        await store.ClaimAnswers;
        return batch with { IsContested = store.IsContested };
    }

    public async ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        // As over a network: nobody's thread is kept.
        await Task.Yield();
        return store.StoresClaimed ? await store.EnqueueClaimed(this, entries) : null;
    }

    public void Rewind() => store.Do("rewind", () => 0);
}

/// <summary>A node's session with <see cref="FakeQueueStore"/>: nobody else is there, but for the nodes that the test names.</summary>
internal sealed class FakeSession(FakeQueueStore store) : INodeSession
{
    public NodeRegistration Register(NodeIdentity identity) => store.Do("register", () => new NodeRegistration(false, false, []));

    public bool TryHold(Guid nodeId) => false;

    public HeartbeatResult SendHeartbeat(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
        => store.Do("heartbeat", () => store.Answer(!store.DeadNodes.Contains(nodeId), hints));

    public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null) => [];

    public void Leave(Guid nodeId) => store.Do("leave", () => store.LeftNodes.Add(nodeId));

    public void Dispose()
    {
    }
}

/// <summary>A job store without jobs.</summary>
internal class NoJobs : IJobStore
{
    public virtual Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken) => Task.FromResult(new JobRecovery(0, []));

    public Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken) => Task.FromResult(new JobRecovery(0, []));

    public virtual Task<RecoveryReport> RecoverTasksAsync(
        TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
        => Task.FromResult(RecoveryReport.Empty);

    public Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public virtual Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();

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
