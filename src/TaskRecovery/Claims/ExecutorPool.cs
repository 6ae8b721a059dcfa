using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>Runs the claimed entries of one queue: as many executors as the concurrency, and the entries that wait for one. An executor is
/// a slot, not a thread; while the queue is empty, it costs nothing.</summary>
internal sealed class ExecutorPool
{
    private const int MostStopThreads = 32;

    private readonly OutcomeSink _outcomes;
    private readonly KindRunners _runners;
    private readonly Func<ClaimedEntry, NodeClaim, EarlyStart?> _earlyStartOf;
    private readonly PrefetchEstimator _prefetch;
    private readonly Signal _roomFreed;
    private readonly TimeProvider _time;
    private readonly TimeSpan _longestBuffered;
    private readonly Executor[] _executors;
    private readonly Stack<Executor> _idle;
    private readonly EntryBuffer _buffer = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _becameIdle;
    private volatile CancelRequests? _cancelRequests;
    private volatile bool _stopping;
    private bool _claimerWaitsForRoom;

    /// <param name="options">The concurrency and the prefetch of the queue.</param>
    /// <param name="services">The services that all queues share.</param>
    /// <param name="roomFreed">Set when there is room for entries again, after <see cref="Room"/> returned 0.</param>
    public ExecutorPool(QueueOptions options, WorkServices services, Signal roomFreed)
    {
        _outcomes = services.Outcomes;
        _runners = services.Runners;
        _earlyStartOf = EarlyStartOf;
        _time = services.Time;
        _longestBuffered = services.Limits.LongestBuffered;
        _roomFreed = roomFreed;
        _prefetch = new PrefetchEstimator(options.Prefetch, _time);
        _executors = new Executor[options.Concurrency];
        _idle = new Stack<Executor>(options.Concurrency);
        for (var i = 0; i < _executors.Length; i++)
        {
            _idle.Push(_executors[i] = new Executor(this, services));
        }
    }

    /// <summary>Starts the threads that cancel runs. Only tests set it.</summary>
    internal Action<Thread>? StartThread { get; set; }

    /// <summary>Whether no further entry starts.</summary>
    public bool IsStopping => _stopping;

    /// <summary>How many entries run.</summary>
    public int Running
    {
        get
        {
            lock (_gate)
            {
                return _executors.Length - _idle.Count;
            }
        }
    }

    /// <summary>How many entries may run at once.</summary>
    public int Concurrency => _executors.Length;

    /// <summary>How many entries run or wait for an executor.</summary>
    public int Held
    {
        get
        {
            lock (_gate)
            {
                return _executors.Length - _idle.Count + _buffer.Count;
            }
        }
    }

    /// <summary>Whether the claimer would request nothing now.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return Limit() == 0;
            }
        }
    }

    /// <summary>The current runs.</summary>
    public IEnumerable<WorkRun> Runs => _executors.Select(executor => executor.Current).OfType<WorkRun>();

    /// <summary>How many entries to claim now. If the result is 0, the pool sets its signal when there is room. Called by the claim loop
    /// only.</summary>
    public int Room()
    {
        _prefetch.Measure();
        lock (_gate)
        {
            var limit = Limit();
            _claimerWaitsForRoom = limit == 0;
            return limit;
        }
    }

    /// <summary>Whether so many entries would start at once.</summary>
    public bool CanStart(int count)
    {
        if (count > _executors.Length || _stopping)
        {
            return false;
        }

        lock (_gate)
        {
            return _buffer.Count == 0 && _idle.Count >= count;
        }
    }

    /// <summary>Runs the entries of a claim: on idle executors at once, and the others as soon as one is idle.</summary>
    public void Run(NodeClaim claim, IReadOnlyList<ClaimedEntry> entries)
    {
        var starting = new List<Executor>();
        lock (_gate)
        {
            _buffer.Add(claim, entries);
            for (var free = Math.Min(_idle.Count, _buffer.Count); free > 0 && !_stopping; free--)
            {
                starting.Add(_idle.Pop());
            }
        }

        foreach (var executor in starting)
        {
            ThreadPool.UnsafeQueueUserWorkItem(executor, preferLocal: false);
        }

        // A stop or a lost lease while the claim's answer was arriving has already checked the buffer, so check again.
        if (_stopping)
        {
            Release(static _ => true);
        }
        else if (!claim.Lease.IsValid)
        {
            StopRunsOf(claim.Lease);
        }
    }

    /// <summary>Takes the next entry for an executor. If there is none, the executor becomes idle.</summary>
    /// <remarks>Also lets the entries behind it begin early that will have a slot in a few milliseconds.</remarks>
    public bool TryTake(Executor executor, out BufferedEntry entry)
    {
        TaskCompletionSource? becameIdle = null;
        IReadOnlyList<EarlyStart> early = [];
        bool hasRoom;
        bool taken;
        lock (_gate)
        {
            // While stopping, an entry stays in the buffer and is released with the rest.
            entry = default;
            if (!_stopping && _runners.AnyBeginsEarly && _prefetch.Early is > 0 and var ahead)
            {
                early = _buffer.CreateEarlyStarts(ahead + 1, _earlyStartOf);
            }

            taken = !_stopping && _buffer.TryTake(out entry);
            if (!taken)
            {
                _idle.Push(executor);
                if (_idle.Count == _executors.Length)
                {
                    becameIdle = _becameIdle;
                    _becameIdle = null;
                }
            }

            hasRoom = _claimerWaitsForRoom && Limit() > 0;
            if (hasRoom)
            {
                _claimerWaitsForRoom = false;
            }
        }

        becameIdle?.TrySetResult();
        if (hasRoom)
        {
            _roomFreed.Set();
        }

        foreach (var start in early)
        {
            start.Begin();
        }

        return taken;
    }

    /// <summary>Counts an entry that has finished.</summary>
    public void CountFinished() => _prefetch.CountFinished();

    /// <summary>Applies the cancel requests that the store returned: cancels running entries, and keeps waiting ones from
    /// starting.</summary>
    /// <param name="entryIds">The ids of the entries to cancel.</param>
    /// <param name="askedAt">When the store was queried. If an entry was claimed here after that, the request may concern an earlier run,
    /// which an operator has retried since; the claim itself states whether the entry is to be cancelled.</param>
    public void RequestCancels(IReadOnlyList<long> entryIds, long askedAt)
    {
        if (entryIds.Count == 0)
        {
            _cancelRequests = null;
            return;
        }

        var requests = new CancelRequests([.. entryIds], askedAt);
        _cancelRequests = requests;
        foreach (var run in Runs.Where(run => requests.Concern(run.Entry, run.Claim)))
        {
            run.Stop(StopReason.Cancelled);
        }
    }

    /// <summary>Whether a cancel request exists for an entry that is about to start.</summary>
    public bool IsCancelRequested(ClaimedEntry entry, NodeClaim claim)
        => entry.CancelRequested || _cancelRequests?.Concern(entry, claim) == true;

    /// <summary>Releases entries that were claimed ahead and have waited too long because the handlers became slower.</summary>
    public void ReleaseStale()
    {
        if (Release(claim => _time.GetElapsedTime(claim.AcceptedAt) > _longestBuffered) > 0)
        {
            _prefetch.PauseUntilNextFinish();
        }
    }

    /// <summary>Stops starting entries, and releases those that have not started.</summary>
    /// <returns>How many entries were released.</returns>
    public int StopStarting()
    {
        _stopping = true;
        return Release(static _ => true);
    }

    /// <summary>Waits until no entry runs.</summary>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_idle.Count == _executors.Length)
            {
                return Task.CompletedTask;
            }

            _becameIdle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _becameIdle.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Cancels the tokens of all current runs.</summary>
    public void StopRuns(StopReason reason)
    {
        foreach (var run in Runs)
        {
            run.Stop(reason);
        }
    }

    /// <summary>Cancels the runs under a lost lease, and releases the entries under it that have not started.</summary>
    /// <remarks>Uses dedicated threads: a starved thread pool must not delay cancellation beyond the node's deadline, and a blocking
    /// callback of one handler must not delay the cancellation of the others. If no thread can be started, the caller's thread
    /// cancels.</remarks>
    public void StopRunsOf(NodeLease lease)
    {
        var runs = Runs.Where(run => run.Claim.Lease == lease && run.TryStop(StopReason.ClaimLost)).ToArray();
        var left = new List<WorkRun>();
        foreach (var some in runs.Chunk((runs.Length / MostStopThreads) + 1))
        {
            if (!OwnThread.TryStart(() => Array.ForEach(some, static run => run.CancelToken()), "TaskRecovery claims lost", StartThread))
            {
                left.AddRange(some);
            }
        }

        Release(claim => claim.Lease == lease);
        left.ForEach(static run => run.CancelToken());
    }

    /// <summary>Releases the entries that still run, although their handlers have not returned: the process is ending, and other nodes can
    /// then run them at once.</summary>
    public void GiveUpRuns()
    {
        foreach (var run in Runs.Where(run => run.TryTakeOutcome()))
        {
            _outcomes.GiveUp(run);
        }
    }

    private EarlyStart? EarlyStartOf(ClaimedEntry entry, NodeClaim claim)
        => claim.Lease.IsValid && entry is { Problem: null, StartsWithin: null } && !IsCancelRequested(entry, claim)
            && _runners.Find(entry.Kind)?.Runner is { BeginsEarly: true } runner ? new EarlyStart(runner, entry, claim, _time) : null;

    // While an executor is idle, the buffer is empty. Without the limit of bytes, the buffer could hold as many claims of large entries as
    // it may hold entries.
    private int Limit() => _buffer.Bytes >= ClaimLimits.Bytes
        ? 0
        : ClaimPlan.Limit(_executors.Length, _prefetch.Current, _executors.Length - _idle.Count, _buffer.Count);

    private int Release(Func<NodeClaim, bool> condition)
    {
        List<BufferedEntry> entries;
        lock (_gate)
        {
            if (_buffer.Count == 0)
            {
                return 0;
            }

            entries = _buffer.TakeWhere(condition);
        }

        foreach (var (claim, entry, early) in entries)
        {
            _outcomes.EndWithoutHandler(entry, claim, OutcomeKind.Released, after: early?.Abandon());
        }

        return entries.Count;
    }

    private sealed record CancelRequests(HashSet<long> EntryIds, long AskedAt)
    {
        public bool Concern(ClaimedEntry entry, NodeClaim claim) => EntryIds.Contains(entry.Id) && claim.AcceptedAt < AskedAt;
    }
}
