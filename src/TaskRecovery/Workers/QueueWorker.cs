using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Serves one queue: one claimer, and as many executors as the concurrency. An executor is a slot, not a thread; while the queue
/// is empty, it costs nothing.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed partial class QueueWorker : ILocalClaimer
{
    /// <summary>After this time in the buffer, an entry is released to the queue, where other nodes can claim it.</summary>
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

    /// <summary>The name of the loop that keeps failing; <see langword="null"/> if none does.</summary>
    public string? FailingLoop => _state.Failing;

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

    /// <summary>The current runs.</summary>
    public IEnumerable<WorkRun> Runs => _executors.Select(executor => executor.Current).OfType<WorkRun>();

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
    public bool IsCancelRequested(ClaimedEntry entry, HeldClaim claim) => entry.CancelRequested || _cancelRequests?.Concern(entry, claim) == true;

    /// <summary>Releases entries that were claimed ahead and have waited too long because the handlers became slower.</summary>
    public void ReleaseStale()
    {
        if (Release(claim => _services.Time.GetElapsedTime(claim.AcceptedAt) > LongestBuffered) > 0)
        {
            // Claim nothing ahead until an entry has finished; otherwise the same entries would be claimed and released repeatedly.
            Volatile.Write(ref _finishedWhenStale, Volatile.Read(ref _finished));
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

    /// <summary>Releases the entries that still run, although their handlers have not returned: the process is ending, and other nodes can
    /// then run them at once.</summary>
    public void GiveUpRuns()
    {
        foreach (var run in Runs.Where(run => run.TryTakeOutcome()))
        {
            End(run.Entry, run.Claim, OutcomeKind.Released, run.CompletedInTransaction);
        }
    }

    /// <summary>Ends an entry that has not run, or without waiting for its run.</summary>
    public void End(ClaimedEntry entry, HeldClaim claim, OutcomeKind kind, bool afterTransaction = false)
        => End(entry, claim, OutcomePolicy.Unworked(entry, claim, IsTask(entry), kind), afterTransaction);

    /// <summary>Ends an entry whose row can't be read.</summary>
    public void EndUnreadable(ClaimedEntry entry, HeldClaim claim)
    {
        _services.Logger.EntryUnreadable(entry.Id, entry.Problem!);
        End(entry, claim, OutcomePolicy.Unreadable(entry, claim, isTask: true, entry.Problem!));
    }

    /// <summary>Ends an attempt that failed outside its handler.</summary>
    public void EndBroken(ClaimedEntry entry, HeldClaim claim, Exception exception)
    {
        _services.Logger.RunBroken(entry.Id, entry.Kind, exception);
        End(entry, claim, OutcomePolicy.Broken(entry, claim, IsTask(entry), exception));
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

    /// <summary>Takes the next entry for an executor. If there is none, the executor becomes idle.</summary>
    internal bool TryTake(Executor executor, out BufferedEntry entry)
    {
        TaskCompletionSource? becameIdle = null;
        bool wakeClaimer;
        bool taken;
        lock (_gate)
        {
            // While stopping, an entry stays in the buffer and is released with the rest.
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

    // Uses dedicated threads: a starved thread pool must not delay cancellation beyond the node's deadline, and a blocking callback of one
    // handler must not delay the cancellation of the others.
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
