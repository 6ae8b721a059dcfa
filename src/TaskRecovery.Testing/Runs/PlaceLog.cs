using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Runs;

/// <summary>Records the places and steps of one run, stops the run where the test has planned it, and lets it die where the test has
/// planned a crash.</summary>
/// <param name="stops">The planned stops.</param>
/// <param name="crashAt">Where to crash; <see langword="null"/> for nowhere.</param>
/// <param name="store">The store of the run, which refuses its writes once the claim is lost.</param>
/// <param name="stopping">Cancelled when the host begins to stop.</param>
internal sealed class PlaceLog(
    IReadOnlyList<PlannedStop> stops, CrashPoint? crashAt, MemoryStore store, CancellationTokenSource stopping) : IRunObserver
{
    private readonly Lock _gate = new();
    private readonly PlaceNumbers _numbers = new();
    private readonly List<Place> _places = [];
    private readonly List<(string Name, bool WasRun)> _steps = [];

    // Never completed, so that a crashed run never resumes: no catch, finally or dispose of it runs, as in a killed process.
    private readonly TaskCompletionSource _never = new();
    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed when the run has crashed.</summary>
    public Task Crashed => _crashed.Task;

    public IReadOnlyList<Place> Places
    {
        get
        {
            lock (_gate)
            {
                return [.. _places];
            }
        }
    }

    public IReadOnlyList<(string Name, bool WasRun)> Steps
    {
        get
        {
            lock (_gate)
            {
                return [.. _steps];
            }
        }
    }

    /// <summary>Finds a planned stop whose place the run has not reached, so that it has not happened.</summary>
    public PlannedStop? FindMissedStop() => stops.FirstOrDefault(stop => !Places.Contains(stop.At));

    public Task ReachAsync(WorkRun run, RunPlace place, string? step)
    {
        Place reached;
        lock (_gate)
        {
            if (_crashed.Task.IsCompleted)
            {
                return _never.Task;
            }

            if (place == RunPlace.StepFound)
            {
                _steps.Add((step!, false));
                return Task.CompletedTask;
            }

            if (place == RunPlace.StepBegins)
            {
                _steps.Add((step!, true));
            }

            reached = _numbers.Next(place, step);
            if (crashAt is { } crash && crash.Place == reached && crash.Occurrence == _places.Count(other => other == reached) + 1)
            {
                _places.Add(reached);
                _crashed.SetResult();
                return _never.Task;
            }

            _places.Add(reached);
        }

        foreach (var stop in stops.Where(stop => stop.At == reached))
        {
            Stop(run, stop.Reason);
        }

        return Task.CompletedTask;
    }

    public void Ended(WorkRun run, OutcomeKind kind, Exception? exception)
    {
        // The test reads the outcome from the run itself.
    }

    private void Stop(WorkRun run, StopReason reason)
    {
        if (reason is StopReason.None or StopReason.Shutdown)
        {
            stopping.Cancel();
        }

        if (reason == StopReason.ClaimLost)
        {
            store.LoseClaim();
        }

        if (reason != StopReason.None && run.TryStop(reason))
        {
            run.CancelToken();
        }
    }
}
