using System.Globalization;

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
            + $"Kind '{most.Key}' enqueues itself, or ends its runs so that they are due again at once: it ran {Text(most.Count())} times. Its last run:\n  {most.Last()}",
            []);
    }

    /// <summary>Throws if runs have failed.</summary>
    public static void ThrowIfFailed(IReadOnlyList<DrainedRun> runs, DrainOptions options)
    {
        if (options.AllowFailures)
        {
            return;
        }

        DrainedRun[] failures = [.. runs.Where(run => run.End == RunEnd.Failed || (run.End == RunEnd.Retried && !options.IncludeRetries))];
        if (failures.Length == 0)
        {
            return;
        }

        var more = failures.Length > MostShown ? $"\n  and {Text(failures.Length - MostShown)} more" : "";
        Exception[] exceptions = [.. failures.Select(static run => run.Exception).OfType<Exception>()];
        throw new DrainException(
            $"{Text(failures.Length)} of {Text(runs.Count)} runs failed (if that is meant, set {nameof(DrainOptions)}.{nameof(DrainOptions.AllowFailures)}, or {nameof(DrainOptions.IncludeRetries)} to repeat failed attempts):"
            + $"{string.Concat(failures.Take(MostShown).Select(static run => $"\n  {run}"))}{more}",
            failures,
            exceptions is [var only] ? only : exceptions.Length == 0 ? null : new AggregateException(exceptions));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
