using System.Globalization;
using TaskRecovery.Workers;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The errors of drains.</summary>
internal static class Drains
{
    private const int MostShown = 10;

    /// <summary>The drain has run more entries than it may.</summary>
    public static DrainException Endless(IReadOnlyList<DrainedRun> runs, int limit)
    {
        var most = runs.GroupBy(static run => run.Kind, StringComparer.Ordinal).MaxBy(static kind => kind.Count())!;
        return new DrainException(
            $"The drain is endless: it has run more than {Text(limit)} entries ({nameof(DrainOptions)}.{nameof(DrainOptions.Limit)}). "
            + $"Kind '{most.Key}' enqueues itself, or ends its runs so that they are due again at once: it ran {Text(most.Count())} times. "
            + $"Its last run:\n  {most.Last()}",
            []);
    }

    /// <summary>No run has ended for a time, although entries run.</summary>
    public static DrainException Stuck(IEnumerable<WorkRun> runs, TimeSpan timeout)
    {
        var running = runs.ToList();
        var failures = running.Select(static run => run.StoreFailure).OfType<Exception>().ToList();
        return new DrainException(
            $"The drain does not end: for {Text(timeout)} no run has ended. It waits for:"
            + string.Concat(running.Take(MostShown).Select(static run
                => $"\n  entry {Text(run.Entry.Id)}, kind {run.Entry.Kind}, attempt {Text(run.Entry.Attempt)} "
                    + $"of {Text(run.Entry.MaxAttempts)}"
                    + $"{(run.CurrentStep is { } step
                        ? $", in step '{step}'"
                        : "")}{(run.StoreFailure is { } failure ? $": a call of the store can't succeed: {failure.Message}" : "")}"))
            + "\nA worker never ends if it waits for a time that the test does not move, for an entry that runs only after it, "
            + "or for its own open transaction.",
            [],
            failures.FirstOrDefault());
    }

    /// <summary>The outcomes of runs are not stored for a time.</summary>
    public static DrainException Unstored(IReadOnlyList<DrainedRun> runs, int count, Exception? failure, TimeSpan timeout)
        => new(
            $"The drain does not end: for {Text(timeout)} the outcomes of {Text(count)} runs could not be stored. "
            + (failure?.Message ?? $"Their workers called {nameof(WorkContext.CompleteAsync)} with a transaction that is still open.")
            + "\nA worker has to commit or roll back its own transaction before it returns. The last runs:"
            + string.Concat(runs.TakeLast(Math.Min(count, MostShown)).Select(static run => $"\n  {run}")),
            [],
            failure);

    /// <summary>Throws if runs have failed.</summary>
    /// <param name="runs">All runs of the drain.</param>
    /// <param name="options">The options of the drain.</param>
    /// <param name="isOver">Whether the drain has repeated all that it can, so that a run that was not repeated has failed.</param>
    public static void ThrowIfFailed(IReadOnlyList<DrainedRun> runs, DrainOptions options, bool isOver = true)
    {
        if (options.AllowFailures)
        {
            return;
        }

        DrainedRun[] failures =
        [
            .. runs.Where((run, index) => run.IsFailure
                && !(options.IncludeRetries && run.IsRepeated && (!isOver || WasRepeated(runs, index)))),
        ];
        if (failures.Length == 0)
        {
            return;
        }

        var more = failures.Length > MostShown ? $"\n  and {Text(failures.Length - MostShown)} more" : "";
        Exception[] exceptions = [.. failures.Select(static run => run.Exception).OfType<Exception>()];
        throw new DrainException(
            $"{Text(failures.Length)} of {Text(runs.Count)} runs failed (if that is meant, "
            + $"set {nameof(DrainOptions)}.{nameof(DrainOptions.AllowFailures)}, or {nameof(DrainOptions.IncludeRetries)} to repeat "
            + "failed attempts):"
            + $"{string.Concat(failures.Take(MostShown).Select(static run => $"\n  {run}"))}{more}",
            failures,
            exceptions is [var only] ? only : exceptions.Length == 0 ? null : new AggregateException(exceptions));
    }

    private static bool WasRepeated(IReadOnlyList<DrainedRun> runs, int index)
        => runs.Skip(index + 1).Any(later => later.EntryId == runs[index].EntryId);

    /// <summary>Throws if entries are due that the application can't run, although it should.</summary>
    public static void ThrowIfUnserved(IReadOnlyList<UnservedWork> unserved)
    {
        UnservedWork[] unexpected = [.. unserved.Where(static work => !work.IsExpected)];
        if (unexpected.Length == 0)
        {
            return;
        }

        var more = unexpected.Length > MostShown ? $"\n  and {Text(unexpected.Length - MostShown)} more" : "";
        var queueRemedy = unexpected.Any(static work => work.HasWorker)
            ? "If the application is to serve the queue, call AddQueue. "
            : "";
        var kindRemedy = unexpected.Any(static work => !work.HasWorker)
            ? "If the application is to run the kind, register its worker with AddWorker; if it only enqueues the kind, call AddKind. "
            : "";
        throw new DrainException(
            "Entries are due that the application can't run:"
            + $"{string.Concat(unexpected.Take(MostShown).Select(static work => $"\n  {work}"))}{more}\n{queueRemedy}{kindRemedy}"
            + $"If another application runs them, set {nameof(TaskRecoveryTestingOptions)}."
            + $"{nameof(TaskRecoveryTestingOptions.AllowUnserved)}, or {nameof(DrainOptions)}.{nameof(DrainOptions.AllowUnserved)} "
            + "for one drain.",
            []);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}
