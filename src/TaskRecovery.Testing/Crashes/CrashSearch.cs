using System.Globalization;
using TaskRecovery.Testing.Runs;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Crashes;

/// <summary>Tries a crash at every place of an entry's runs.</summary>
/// <param name="newWorld">Creates what survives a crash.</param>
/// <param name="newRunner">Creates the handler of one run.</param>
/// <param name="newEntry">Creates the entry.</param>
/// <param name="check">Checks a world after the entry has ended.</param>
/// <param name="options">The test's options.</param>
internal sealed class CrashSearch<TWorld>(
    Func<TWorld> newWorld, Func<TWorld, EntryUnderTest, KindRunner> newRunner,
    Func<EntryUnderTest> newEntry, Func<TWorld, Task> check, WorkerTestOptions options)
{
    // An entry that has not ended after so many runs is snoozed or retried for ever.
    private const int MostRuns = 1_000;
    private const int MaxDepth = 3;

    private readonly NewObjects _worlds = NewObjects.Worlds();
    private int _trials;

    public async Task<CrashReport> RunAsync(CrashPlaces places, int depth, CancellationToken cancellationToken)
    {
        if (depth is < 1 or > MaxDepth)
        {
            throw new ArgumentOutOfRangeException(nameof(depth), depth, $"The depth is {depth}: use 1 to {MaxDepth}. "
                + "An entry that crashes more often than RecoveryOptions.MaxCrashes allows fails as crash_loop.");
        }

        Func<Place, bool> isWanted = places == CrashPlaces.All ? static _ => true : static place => !IsUnrecordedEffect(place);
        var clean = await TryAsync([], cancellationToken).ConfigureAwait(false);
        await TryAllAfterAsync(clean, 0, isWanted, depth, cancellationToken).ConfigureAwait(false);
        return new CrashReport([.. clean.Continuations(0, isWanted).Select(static crash => crash.Point.Place)], _trials);
    }

    private static bool IsUnrecordedEffect(Place place) => place.Kind is RunPlace.StepReturned or RunPlace.CheckpointBegins;

    private async Task TryAllAfterAsync(
        CrashTrial trial, int firstRun, Func<Place, bool> isWanted, int depth, CancellationToken cancellationToken)
    {
        foreach (var crash in trial.Continuations(firstRun, isWanted))
        {
            var crashed = await TryAsync([.. trial.Crashes, crash], cancellationToken).ConfigureAwait(false);
            if (depth > 1)
            {
                await TryAllAfterAsync(crashed, crash.Run + 1, isWanted, depth - 1, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<CrashTrial> TryAsync(IReadOnlyList<PlannedCrash> crashes, CancellationToken cancellationToken)
    {
        _trials++;
        var world = _worlds.Take(newWorld());
        var trial = await PlayAsync(world, crashes, cancellationToken).ConfigureAwait(false);
        if (!trial.HasCrashedAsPlanned)
        {
            throw new TestFailedException($"{When(crashes)}: the worker did not reach that place this time, so its runs can't be compared. "
                + $"Let it depend only on its arguments and the world.\n{trial.Describe()}");
        }

        if (trial.End != options.ExpectedEnd)
        {
            var contrast = crashes.Count > 0
                ? $", and without a crash as {options.ExpectedEnd}."
                : $". A worker that does not do its work can't show whether it survives a crash. If this end is meant, set "
                    + $"{nameof(WorkerTestOptions)}.{nameof(WorkerTestOptions.ExpectedEnd)}.";
            var sentence = $"{When(crashes)}, the entry ends as {trial.End}{contrast}\n{trial.Describe()}";
            throw new TestFailedException(trial.Last?.Describe(sentence) ?? sentence, trial.Last?.Exception);
        }

        try
        {
            await check(world).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw new TestFailedException($"{When(crashes)}, the check fails: {exception.Message}\n{trial.Describe()}", exception);
        }

        // Until here, no finalizer of an abandoned run may have changed the world.
        GC.KeepAlive(trial);
        return trial;
    }

    private async Task<CrashTrial> PlayAsync(TWorld world, IReadOnlyList<PlannedCrash> crashes, CancellationToken cancellationToken)
    {
        var entry = newEntry();
        var afterStop = options with { Stops = [] };
        var runs = new List<EndedRun>();
        while (!entry.HasEnded)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (runs.Count == MostRuns)
            {
                throw new TestFailedException($"{When(crashes)}, the entry has not ended after {MostRuns} runs: "
                    + $"its worker snoozes or is released for ever.\n{runs[^1].Result}");
            }

            CrashPoint? crashAt = null;
            foreach (var crash in crashes)
            {
                crashAt = crash.Run == runs.Count ? crash.Point : crashAt;
            }

            // A planned stop is one event, so it concerns the first run only.
            var run = await RunUnderTest.RunAsync(
                entry, newRunner(world, entry), runs.Count == 0 ? options : afterStop, crashAt, cancellationToken).ConfigureAwait(false);
            runs.Add(run);
            if (run.Result is { } result)
            {
                entry.Ended(result.End);
            }
            else
            {
                entry.Crashed(crashAt!.Value.Place);
            }
        }

        return new CrashTrial(crashes, runs);
    }

    private static string When(IReadOnlyList<PlannedCrash> crashes) => crashes.Count == 0
        ? "Without a crash"
        : $"After a crash {string.Join(", and another crash ", crashes.Select(
            static crash => $"{crash.Point.Place} in run {(crash.Run + 1).ToString(CultureInfo.InvariantCulture)}"))}";
}
