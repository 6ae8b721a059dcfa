using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Works one queue: one claimer, and executors up to the concurrency. An executor is a place, not a thread; while its queue is empty it costs nothing.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed partial class QueueWorker : ILocalClaimer
{
    /// <summary>What has waited here for so long would be better off in the queue, where other nodes see it.</summary>
    internal static readonly TimeSpan LongestBuffered = TimeSpan.FromSeconds(5);

    private const int MostStopThreads = 32;

    private readonly WorkServices _services;
    private readonly QueueOptions _options;
    private readonly Executor[] _executors;
    private readonly Stack<Executor> _idle;
    private readonly EntryBuffer _buffer = new();
    private readonly Lock _gate = new();
    private readonly Signal _signal = new();
    private readonly OutageReporter _state;
    private TaskCompletionSource? _becameIdle;
    private volatile CancelRequests? _cancelRequests;
    private volatile bool _stopping;
    private bool _claimerWaitsForRoom;
    private int _finished;
    private int _finishedWhenStale = -1;

    public QueueWorker(string queue, QueueOptions options, WorkServices services)
    {
        Queue = queue;
        _options = options;
        _services = services;
        _state = new OutageReporter($"claims of queue {queue}", services.Logger);
        _executors = new Executor[options.Concurrency];
        _idle = new Stack<Executor>(options.Concurrency);
        for (var i = 0; i < _executors.Length; i++)
        {
            _idle.Push(_executors[i] = new Executor(this, services));
        }
    }

    public string Queue { get; }

    /// <summary>What keeps failing here; <see langword="null"/> if nothing does.</summary>
    public string? FailingLoop => _state.Failing;

    /// <summary>How many entries run here.</summary>
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

    /// <summary>The runs that go on at this moment.</summary>
    public IEnumerable<WorkRun> Runs => _executors.Select(executor => executor.Current).OfType<WorkRun>();

    /// <summary>Takes in what the store said of cancel requests: running entries are told, waiting ones are not started.</summary>
    /// <param name="entryIds">The entries.</param>
    /// <param name="askedAt">When the store was asked. An entry that was claimed here since then may be the same one, which an operator has retried; its claim says itself whether it is to be cancelled.</param>
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

    /// <summary>Whether an entry that is about to start has a cancel request.</summary>
    public bool IsCancelRequested(ClaimedEntry entry, HeldClaim claim) => entry.CancelRequested || _cancelRequests?.Concern(entry, claim) == true;

    /// <summary>Gives back what was claimed ahead and has waited too long because the work got slower.</summary>
    public void ReleaseStale()
    {
        if (Release(claim => _services.Time.GetElapsedTime(claim.AcceptedAt) > LongestBuffered) > 0)
        {
            // Nothing more is claimed ahead until something has finished, or the same entries would come and go.
            Volatile.Write(ref _finishedWhenStale, Volatile.Read(ref _finished));
        }
    }

    /// <summary>Starts nothing more, and releases what has not started.</summary>
    /// <returns>How many entries that was.</returns>
    public int StopStarting()
    {
        _stopping = true;
        return Release(static _ => true);
    }

    /// <summary>Waits until nothing runs here.</summary>
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

    /// <summary>Fires the tokens of what runs.</summary>
    public void StopRuns(StopReason reason)
    {
        foreach (var run in Runs)
        {
            run.Stop(reason);
        }
    }

    /// <summary>Gives back what still runs, although its handlers go on: the process ends, and others are to have it at once.</summary>
    public void GiveUpRuns()
    {
        foreach (var run in Runs.Where(run => run.TryTakeOutcome()))
        {
            End(run.Entry, run.Claim, OutcomeKind.Released, run.CompletedInTransaction);
        }
    }

    /// <summary>Ends an entry without having run it, or without waiting for it.</summary>
    public void End(ClaimedEntry entry, HeldClaim claim, OutcomeKind kind, bool afterTransaction = false)
        => End(entry, claim, OutcomePolicy.Unworked(entry, claim, IsTask(entry), kind, _services.MaxCrashes), afterTransaction);

    /// <summary>Ends an entry whose row can't be read.</summary>
    public void EndUnreadable(ClaimedEntry entry, HeldClaim claim)
    {
        _services.Logger.EntryUnreadable(entry.Id, entry.Problem!);
        End(entry, claim, OutcomePolicy.Unreadable(entry, claim, isTask: true, entry.Problem!));
    }

    /// <summary>Ends an attempt in which something else than the handler failed.</summary>
    public void EndBroken(ClaimedEntry entry, HeldClaim claim, Exception exception)
    {
        _services.Logger.RunBroken(entry.Id, entry.Kind, exception);
        End(entry, claim, OutcomePolicy.Broken(entry, claim, IsTask(entry), exception, _services.MaxCrashes));
    }

    private bool IsTask(ClaimedEntry entry) => _services.Kinds.Find(entry.Kind)?.Registration.IsTask ?? false;

    private void End(ClaimedEntry entry, HeldClaim claim, RunOutcome outcome, bool afterTransaction = false)
    {
        var settlement = new PendingOutcome(outcome, claim, entry.Kind, _services.Suspects.Of(entry.Crashes));
        if (claim.Lease.Node.End is NodeEnd.DeclaredDead or NodeEnd.WentBackInTime)
        {
            _services.Completer.Drop(settlement);
        }
        else if (afterTransaction)
        {
            _services.Completer.AddAfterTransaction(settlement);
        }
        else
        {
            _services.Completer.Add(settlement);
        }
    }

    /// <summary>The next entry for an executor; if there is none, its place is free.</summary>
    internal bool TryTake(Executor executor, out BufferedEntry entry)
    {
        TaskCompletionSource? becameIdle = null;
        bool wakeClaimer;
        bool taken;
        lock (_gate)
        {
            // What is taken out while it stops would be nobody's: it is released with the rest.
            entry = default;
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

            wakeClaimer = _claimerWaitsForRoom && ClaimPlan.Limit(_executors.Length, _prefetch, _executors.Length - _idle.Count, _buffer.Count) > 0;
            if (wakeClaimer)
            {
                _claimerWaitsForRoom = false;
            }
        }

        becameIdle?.TrySetResult();
        if (wakeClaimer)
        {
            _signal.Set();
        }

        return taken;
    }

    internal void CountFinished() => Interlocked.Increment(ref _finished);

    private int Release(Func<HeldClaim, bool> condition)
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

        foreach (var (claim, entry) in entries)
        {
            End(entry, claim, OutcomeKind.Released);
        }

        return entries.Count;
    }

    // Threads of their own: a starved thread pool must not keep a token from firing at the node's deadline, nor one handler's clean-up the tokens of the others.
    private void StopRunsOf(NodeLease lease)
    {
        var runs = Runs.Where(run => run.Claim.Lease == lease && run.TryStop(StopReason.ClaimLost)).ToArray();
        foreach (var some in runs.Chunk((runs.Length / MostStopThreads) + 1))
        {
            new Thread(() => Array.ForEach(some, run => run.Fire())) { IsBackground = true, Name = "TaskRecovery claims lost" }.Start();
        }

        Release(claim => claim.Lease == lease);
    }

    private sealed record CancelRequests(HashSet<long> EntryIds, long AskedAt)
    {
        public bool Concern(ClaimedEntry entry, HeldClaim claim) => EntryIds.Contains(entry.Id) && claim.AcceptedAt < AskedAt;
    }
}
