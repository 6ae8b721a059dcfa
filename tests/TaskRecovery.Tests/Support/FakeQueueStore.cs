using System.Data.Common;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>A small queue in memory, for tests of the engine: claims, fences and outcomes as any store has them, and errors on
/// demand.</summary>
internal sealed partial class FakeQueueStore : IQueueStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, FakeEntry> _entries = [];
    private readonly Dictionary<long, FakeClaim> _claims = [];
    private readonly Dictionary<string, int> _calls = new(StringComparer.Ordinal);
    private readonly List<(Func<bool> Holds, TaskCompletionSource Reached)> _waits = [];
    private readonly List<int> _progressBatches = [];
    private readonly List<int> _flushes = [];
    private Action<StoreHint>? _onHint;
    private bool _isLooking;
    private long _lastEntry;
    private long _lastFence = 100;

    /// <summary>Throws before (<c>finish</c>) or after (<c>finish answer</c>) an operation is carried out.</summary>
    public Action<string>? OnCall { get; set; }

    /// <summary>Whether other nodes claim whenever this one does.</summary>
    public bool IsContested { get; set; }

    /// <summary>What the answer to a claim waits for: a disk that hangs, which no cancellation ends.</summary>
    public Task ClaimAnswers { get; set; } = Task.CompletedTask;

    /// <summary>What the answer to a step or checkpoint waits for: a network that stalls.</summary>
    public Task ProgressAnswers { get; set; } = Task.CompletedTask;

    public StoreTraits Traits { get; set; } = PolledEvery(TimeSpan.FromMilliseconds(50));

    /// <summary>Why steps and checkpoints can't be stored.</summary>
    public Func<IReadOnlyList<ProgressWrite>, Exception?> RefuseProgress { get; set; } = static _ => null;

    /// <summary>The error for a removal of steps, by its ordinal; null stores it.</summary>
    public Func<long, Exception?> RefuseReset { get; set; } = static _ => null;

    /// <summary>How many steps and checkpoints were stored together.</summary>
    public IReadOnlyList<int> ProgressBatches => Locked(() => _progressBatches.ToList());

    /// <summary>The ordinals of the removals of steps.</summary>
    public List<long> Resets { get; } = [];

    /// <summary>Whether the last step came with a token.</summary>
    public bool StepsCanBeTakenBack { get; private set; }

    /// <summary>How often an operation was called.</summary>
    public int CallsOf(string operation) => Locked(() => _calls.GetValueOrDefault(operation));

    /// <summary>Why a flush as a whole can't be stored, as a database says it.</summary>
    public Func<IReadOnlyList<RunOutcome>, Exception?> RefuseFlush { get; set; } = static _ => null;

    /// <summary>Why entries can't be stored together.</summary>
    public Func<IReadOnlyList<NewEntry>, Exception?> RefuseEntries { get; set; } = static _ => null;

    /// <summary>Whether claimers store entries as claimed. Off, every entry is claimed by a claim.</summary>
    public bool StoresClaimed { get; set; }

    /// <summary>Whether claims state which entries were never claimed before.</summary>
    public bool KnowsFirstRuns { get; set; }

    /// <summary>The entries that were stored as claimed.</summary>
    public SharedSet<long> StoredClaimed { get; } = new();

    /// <summary>Entries that an open transaction of their worker's keeps from getting another outcome.</summary>
    public SharedSet<long> Blocked { get; } = new();

    /// <summary>The sizes of the flushes that were carried out.</summary>
    public IReadOnlyList<int> Flushes => Locked(() => _flushes.ToList());

    public List<SuspectAllowance> Allowances { get; } = [];

    public SharedSet<Guid> DeadNodes { get; } = new();

    public SharedSet<Guid> LeftNodes { get; } = new();

    public SharedSet<string> Paused { get; } = new();

    public int OpenClaims => Locked(() => _claims.Count);

    /// <summary>The next claims get ids from here on: below those before, the database has lost commits.</summary>
    public void SetLastFence(long fence) => Locked(() => _lastFence = fence);

    public Guid NodeOf(long fence) => Locked(() => _claims[fence].Node);

    public FakeEntry Entry(long id) => Locked(() => _entries[id]);

    public IReadOnlyList<FakeEntry> Entries => Locked(() => _entries.Values.ToList());

    /// <summary>Stores an entry as a producer of another process would.</summary>
    public long Add(string kind, string json, Action<FakeEntry>? change = null)
    {
        return Locked(() =>
        {
            var entry = new FakeEntry
            {
                Id = ++_lastEntry,
                Stored =
                    new NewEntry { Kind = kind, Queue = "default", Priority = 5, Args = Encoding.UTF8.GetBytes(json), MaxAttempts = 10 },
            };
            change?.Invoke(entry);
            _entries.Add(entry.Id, entry);
            return entry.Id;
        });
    }

    public void Hint(StoreHintKind kind, string? queue = null) => _onHint?.Invoke(new StoreHint(kind, queue));

    /// <summary>Takes a claim from its node, as a sweep of another node does.</summary>
    public void TakeAway(long fence)
    {
        Locked(() =>
        {
            foreach (var id in _claims[fence].Open.ToList())
            {
                _entries[id].Close(fence, OutcomeKind.Lost);
            }

            return _claims.Remove(fence);
        });
    }

    /// <summary>Waits until something holds; it is looked at after every operation.</summary>
    public async Task Until(Func<FakeQueueStore, bool> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Locked(() =>
        {
            _waits.Add((() => condition(this), reached));
            return 0;
        });
        await reached.Task.WaitAsync(TimeSpan.FromMinutes(2));
    }

    public Task UntilEnded(params long[] ids) => Until(store => ids.All(id => store.Entry(id).IsEnded));

    /// <summary>How many times the store was prepared before the first entry was enqueued.</summary>
    public int PreparedBefore { get; private set; }

    public Task PrepareAsync(CancellationToken cancellationToken)
        => Call("prepare", () => PreparedBefore += _calls.ContainsKey("enqueue") ? 0 : 1).AsTask();

    public INodeSession OpenNodeSession() => new FakeSession(this);

    public ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
        => RefuseEntries(entries) is { } refusal ? throw refusal
            : entries.Any(IsTaken) ? throw new InvalidOperationException("The call would wait for a unique key that is not free.")
            : Call("enqueue", () => entries.Select(entry =>
        {
            var holder = entry.UniqueKey is null ? null : _entries.Values.FirstOrDefault(other => other.Stored.Kind == entry.Kind
                && other.Stored.UniqueKey == entry.UniqueKey && !other.IsEnded);
            if (holder is not null)
            {
                return new EnqueueResult(holder.Id, true);
            }

            return new EnqueueResult(Store(entry).Id, false);
        }).ToArray());

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds)
        => new FakeClaimer(this, nodeId, queue, kinds);

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
        => Call("poll", () => Record(request, new PollResult(
            [.. _entries.Values.Where(entry => entry.IsDue && request.Kinds.Contains(entry.Stored.Kind)
                && !Paused.Contains(entry.Stored.Queue)).Select(entry => entry.Stored.Queue).Distinct()],
            request.Queues.Except(request.LeftQueues, StringComparer.Ordinal).Any() ? NextDue : null,
            [.. _claims.Values.Where(claim => claim.Node == request.NodeId).SelectMany(claim => claim.Open).Where(
                id => _entries[id].CancelRequested)],
            request.WithUnknownKinds ? [.. _entries.Values.Where(entry => entry.IsDue
                && !request.Kinds.Contains(entry.Stored.Kind)).Select(entry => entry.Stored.Kind).Distinct()] : [])));

    public ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => Call<IReadOnlyList<RunOutcome>>("finish", () =>
        {
            if (RefuseFlush(outcomes) is { } refused)
            {
                throw refused;
            }

            _flushes.Add(outcomes.Count);
            return [.. outcomes.Where(outcome => !Finish(nodeId, outcome))];
        });

    public ValueTask<IReadOnlyList<RunOutcome>> FindBlockedAsync(IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken)
        => Call<IReadOnlyList<RunOutcome>>("find blocked", () => [.. outcomes.Where(outcome => Blocked.Contains(outcome.EntryId))]);

    public ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
    {
        // The "transaction" of these tests is committed at once, or never began.
        return Do("finish in transaction", () => Finish(nodeId, outcome))
            ? ValueTask.CompletedTask
            : throw new ClaimLostException(outcome.EntryId, outcome.Fence);
    }

    public ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
    {
        Do("remove claims", () => fences.Count(fence => _claims.TryGetValue(fence, out var claim)
            && claim.Open.Count == 0 && _claims.Remove(fence)));
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken)
        => Call<IReadOnlyList<long>>(
            "list claims", () => [.. _claims.Where(claim => claim.Value.Node == nodeId).Select(claim => claim.Key).Order()]);

    public ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
        => Call("give back", () =>
        {
            var open = fences.SelectMany(fence => _claims[fence].Open.Select(id => (fence, id))).ToList();
            open.ForEach(item => _entries[item.id].Close(item.fence, OutcomeKind.Released));
            fences.ToList().ForEach(fence => _claims.Remove(fence));
            return open.Count;
        });

    public ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
        => Call("sweep", () => RecoveryReport.Empty);

    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken)
        => Call("list", () => new EntryPage([], null));

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken) => Call("cancel", () =>
    {
        _entries[entryId].CancelRequested = true;
        return OperatorResult.Done;
    });

    public ValueTask<OperatorResult> RetryAsync(long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        Do("pause", () => pause is null ? Paused.Remove(target.QueueName!) : Paused.Add(target.QueueName!));
        return ValueTask.FromResult(OperatorResult.Done);
    }

    public ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken) => Call("purge", () => false);

    public async Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        Do("listen", () => _onHint = onHint);
        onHint(new StoreHint(StoreHintKind.Connected, null));
        Do("listening", () => 0);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Do("listening ended", () => 0);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken)
        => Call<IReadOnlyList<QueueDepth>>("measure", () => []);

    public ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    internal ValueTask<ClaimBatch> Claim(FakeClaimer claimer, int limit, SuspectAllowance suspects)
        => Call("claim", () =>
        {
            Allowances.Add(suspects);
            if (DeadNodes.Contains(claimer.Node))
            {
                return new ClaimBatch(true, 0, [], null);
            }

            var lastChances = suspects.LastChances;
            var others = suspects.Suspects;
            var due = _entries.Values.Where(entry => entry.IsDue && entry.Stored.Queue == claimer.Queue
                && claimer.Kinds.Contains(entry.Stored.Kind) && !Paused.Contains(claimer.Queue))
                .OrderBy(entry => entry.Crashes > 0 ? -entry.Crashes : entry.Stored.Priority)
                .Where(entry => entry.Crashes < 2 || (entry.Crashes >= suspects.MaxCrashes ? lastChances-- > 0 : others-- > 0))
                .Take(limit).ToList();
            if (due.Count == 0)
            {
                var next = _entries.Values.Where(entry => entry.IsWaiting && entry.Stored.Queue == claimer.Queue
                    && entry.DueAt > Environment.TickCount64).Select(entry => (long?)entry.DueAt).Min();
                return new ClaimBatch(false, 0, [], next is { } at ? TimeSpan.FromMilliseconds(at - Environment.TickCount64) : null);
            }

            return Claim(claimer, due);
        });

    internal ValueTask<ClaimedEnqueue?> EnqueueClaimed(FakeClaimer claimer, IReadOnlyList<NewEntry> entries)
        => Call<ClaimedEnqueue?>("enqueue claimed", () =>
        {
            var isDead = DeadNodes.Contains(claimer.Node);
            var isFree = !isDead && !Paused.Contains(claimer.Queue)
                && !_entries.Values.Any(entry => entry.IsDue && entry.Stored.Queue == claimer.Queue);
            var added = entries.Select(Store).ToList();
            if (isFree)
            {
                added.ForEach(entry => StoredClaimed.Add(entry.Id));
            }

            return new ClaimedEnqueue(
                [.. added.Select(entry => new EnqueueResult(entry.Id, false))],
                isFree ? Claim(claimer, added) : ClaimBatch.Empty with { NodeIsDead = isDead });
        });

    private FakeEntry Store(NewEntry entry)
    {
        var added = new FakeEntry { Id = ++_lastEntry, Stored = entry, DueAt = DueAt(entry.RunAfter ?? TimeSpan.Zero) };
        _entries.Add(added.Id, added);
        return added;
    }

    private ClaimBatch Claim(FakeClaimer claimer, List<FakeEntry> entries)
    {
        var fence = ++_lastFence;
        entries.ForEach(entry => entry.Fence = fence);
        _claims[fence] = new FakeClaim(claimer.Node, [.. entries.Select(entry => entry.Id)]);
        return new ClaimBatch(false, fence, [.. entries.Select(entry => entry.Claimed(KnowsFirstRuns))], null);
    }

    internal ValueTask<T> Call<T>(string name, Func<T> action) => new(Do(name, action));

    internal T Do<T>(string name, Func<T> action)
    {
        OnCall?.Invoke(name);
        var result = Locked(() =>
        {
            _calls[name] = _calls.GetValueOrDefault(name) + 1;
            return action();
        });
        OnCall?.Invoke(name + " answer");
        return result;
    }

    internal static long DueAt(TimeSpan delay) => Environment.TickCount64 + (long)delay.TotalMilliseconds;

    private T Locked<T>(Func<T> action)
    {
        lock (_gate)
        {
            var result = action();
            if (!_isLooking)
            {
                _isLooking = true;
                _waits.RemoveAll(HasEnded);
                _isLooking = false;
            }

            return result;
        }
    }

    // A condition that throws fails its test, and not the operation after which it is looked at.
    private static bool HasEnded((Func<bool> Holds, TaskCompletionSource Reached) wait)
    {
        try
        {
            return wait.Holds() && wait.Reached.TrySetResult();
        }
        catch (Exception exception)
        {
            return wait.Reached.TrySetException(exception);
        }
    }

    private bool Holds(Guid nodeId, long fence, long entryId)
        => _claims.TryGetValue(fence, out var claim) && claim.Node == nodeId && !DeadNodes.Contains(nodeId) && claim.Open.Contains(entryId);

    private bool Finish(Guid nodeId, RunOutcome outcome)
    {
        var entry = _entries[outcome.EntryId];
        if (entry.Outcomes.Exists(stored => stored.Fence == outcome.Fence && stored.Kind != OutcomeKind.Lost))
        {
            return true;
        }

        if (!Holds(nodeId, outcome.Fence, outcome.EntryId))
        {
            return false;
        }

        _claims[outcome.Fence].Open.Remove(outcome.EntryId);
        entry.Close(outcome);
        return true;
    }
}
