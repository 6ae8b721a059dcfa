using System.Globalization;
using System.Text;

namespace TaskRecovery.Testing.Runs;

/// <summary>Checks how a run ended, and describes it if the check fails.</summary>
internal static class RunText
{
    private const int MaxShown = 200;
    private const int MaxErrorLines = 12;

    public static TestRun Expect(this TestRun run, RunEnd end, string expectation, string? reason = null, TimeSpan? delay = null)
    {
        if (run.End != end)
        {
            throw Failed(run, $"The run of '{run.Kind}' was expected {expectation}, but it {run.HowItEnded()}.");
        }

        if (reason is not null && run.Reason != reason)
        {
            throw Failed(
                run, $"The run of '{run.Kind}' was expected {expectation} with the reason '{reason}', but the reason is '{run.Reason}'.");
        }

        return delay is { } expected && run.Delay != expected
            ? throw Failed(run, $"The run of '{run.Kind}' was expected {expectation} after {Text(expected)}, "
                + $"but the delay is {Text(run.Delay ?? TimeSpan.Zero)}.")
            : run;
    }

    public static string HowItEnded(this TestRun run)
    {
        var reason = run.Reason is null ? "" : $" ({run.Reason})";
        return run.End switch
        {
            RunEnd.Completed => "completed",
            RunEnd.Failed => $"failed{reason} in attempt {Text(run.Attempt)} of {Text(run.MaxAttempts)}",
            RunEnd.Cancelled => $"was cancelled{reason}",
            RunEnd.Retried
                => $"is retried after {Text(run.Delay ?? TimeSpan.Zero)}: attempt {Text(run.Attempt)} of {Text(run.MaxAttempts)} failed",
            RunEnd.Snoozed => $"snoozed for {Text(run.Delay ?? TimeSpan.Zero)}",
            RunEnd.Released => $"was released ({run.StopReason})",
            _ => "lost its claim",
        };
    }

    /// <summary>A sentence about a run, followed by its steps and its error.</summary>
    public static string Describe(this TestRun run, string sentence)
    {
        var text = new StringBuilder(sentence);
        if (run.Error is { } error)
        {
            text.Append("\nError:");
            var lines = error.Split('\n');
            foreach (var line in lines.Take(MaxErrorLines))
            {
                text.Append("\n  ").Append(line.TrimEnd());
            }

            text.Append(lines.Length > MaxErrorLines ? $"\n  (and {Text(lines.Length - MaxErrorLines)} more lines)" : "");
        }

        text.Append(run.Steps.Count == 0 ? "\nSteps: none" : "\nSteps:");
        foreach (var step in run.Steps)
        {
            text.Append("\n  ").Append(Shorten(step.ToString()));
        }

        return text.ToString();
    }

    public static string Shorten(string text)
        => text.Length <= MaxShown ? text : $"{text.AsSpan(0, MaxShown)}... ({Text(text.Length)} characters)";

    private static TestFailedException Failed(TestRun run, string sentence) => new(run.Describe(sentence), run.Exception);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan time) => time.ToString("c", CultureInfo.InvariantCulture);
}
