using System.Runtime.CompilerServices;
using System.Text;
using TaskRecovery.Storage;
using TaskRecovery.Testing.Runs;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Watches the runs of one host: records how they end, and kills their node at the place that a test has chosen.</summary>
internal sealed class RunMonitor(IPayloadReader payloads, TestClock clock) : IRunObserver
{
    private readonly Lock _gate = new();
    private readonly ConditionalWeakTable<WorkRun, PlaceNumbers> _numbers = [];

    // Never completed, so that a run of a killed node never resumes.
    private readonly TaskCompletionSource _never = new();
    private readonly HashSet<Guid> _killed = [];
    private readonly HashSet<Place> _reached = [];
    private readonly Dictionary<string, long> _ends = new(StringComparer.Ordinal);
    private List<DrainedRun> _runs = [];
    private Place? _killAt;
    private TaskCompletionSource<KilledRun> _kill = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Called when a run has ended and its outcome is about to be stored.</summary>
    public Action OnEnded { get; set; } = static () => { };

    /// <summary>How many runs have ended since <see cref="Begin"/>.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _runs.Count;
            }
        }
    }

    /// <summary>How many runs of some queues have ended since the host started. A run counts before its outcome is stored.</summary>
    public long EndsOf(IReadOnlyCollection<string> queues)
    {
        lock (_gate)
        {
            return queues.Sum(queue => _ends.GetValueOrDefault(queue));
        }
    }

    /// <summary>Begins a drain.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _runs = [];
            _reached.Clear();
        }
    }

    /// <summary>The runs that have ended since <see cref="Begin"/>.</summary>
    public List<DrainedRun> TakeRuns()
    {
        lock (_gate)
        {
            var runs = _runs;
            _runs = [];
            return runs;
        }
    }

    /// <summary>The runs of some queues that have ended since they were last taken. Those of other queues are kept.</summary>
    public List<DrainedRun> TakeRuns(IReadOnlyCollection<string> queues)
    {
        lock (_gate)
        {
            var runs = _runs.FindAll(run => queues.Contains(run.Queue));
            _runs = _runs.FindAll(run => !queues.Contains(run.Queue));
            return runs;
        }
    }

    /// <summary>Plans to kill the node at a place.</summary>
    /// <returns>Completes with the run that has reached the place.</returns>
    public Task<KilledRun> KillAt(Place place)
    {
        lock (_gate)
        {
            _killAt = place;
            _kill = new TaskCompletionSource<KilledRun>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _kill.Task;
        }
    }

    /// <summary>Cancels <see cref="KillAt"/>.</summary>
    /// <returns>The places that the runs have reached since <see cref="Begin"/>.</returns>
    public IReadOnlyCollection<Place> CancelKill()
    {
        lock (_gate)
        {
            _killAt = null;
            return [.. _reached];
        }
    }

    public Task ReachAsync(WorkRun run, RunPlace place, string? step)
    {
        if (place == RunPlace.StepFound)
        {
            return Task.CompletedTask;
        }

        lock (_gate)
        {
            if (_killed.Contains(run.NodeId))
            {
                return _never.Task;
            }

            var reached = _numbers.GetOrCreateValue(run).Next(place, step);
            _reached.Add(reached);
            if (_killAt != reached)
            {
                return Task.CompletedTask;
            }

            // Every other run of this node dies with it, at its next call of the library.
            _killed.Add(run.NodeId);
            _killAt = null;
            _kill.SetResult(new KilledRun
            {
                EntryId = run.Entry.Id,
                Kind = run.Entry.Kind,
                Queue = run.Queue,
                Attempt = run.Entry.Attempt,
            });
            return _never.Task;
        }
    }

    public void Ended(WorkRun run, OutcomeKind kind, Exception? exception)
    {
        var outcome = run.Outcome;
        var end = RunUnderTest.Of(kind);
        var ended = new DrainedRun
        {
            EntryId = run.Entry.Id,
            Kind = run.Entry.Kind,
            Queue = run.Queue,
            Attempt = run.Entry.Attempt,
            MaxAttempts = run.Entry.MaxAttempts,
            End = end,
            Args = payloads.Read(Encoding.UTF8.GetString(run.Entry.Args.Span)),
            Reason = end == RunEnd.Completed ? null : outcome?.Reason,
            Error = end == RunEnd.Completed ? null : outcome?.Error,
            Exception = exception,
            StopReason = run.StopReason,
            NextRunAt = outcome is not null
                && end is RunEnd.Retried or RunEnd.Snoozed or RunEnd.Released ? clock.GetUtcNow() + outcome.Delay : null,
        };
        lock (_gate)
        {
            _runs.Add(ended);
            _ends[ended.Queue] = _ends.GetValueOrDefault(ended.Queue) + 1;
        }

        OnEnded();
    }
}
