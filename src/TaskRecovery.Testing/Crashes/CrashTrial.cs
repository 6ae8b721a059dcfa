using System.Text;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing.Crashes;

/// <summary>An entry with planned crashes: its runs until it ended.</summary>
/// <param name="Crashes">The planned crashes. Each is where the run with its index crashes, counting the runs of the entry from
/// zero.</param>
/// <param name="Runs">The runs.</param>
internal sealed record CrashTrial(IReadOnlyList<PlannedCrash> Crashes, IReadOnlyList<EndedRun> Runs)
{
    /// <summary>The last run; <see langword="null"/> if it crashed after its own transaction had completed the entry.</summary>
    public TestRun? Last => Runs[^1].Result;

    /// <summary>How the entry ended.</summary>
    public RunEnd End => Last?.End ?? RunEnd.Completed;

    /// <summary>Whether the entry has crashed wherever it was to.</summary>
    public bool HasCrashedAsPlanned => Runs.Count(static run => run.Result is null) == Crashes.Count;

    /// <summary>The places from a run on at which a further crash can be tried.</summary>
    public IEnumerable<PlannedCrash> Continuations(int firstRun, Func<Place, bool> isWanted)
    {
        for (var run = firstRun; run < Runs.Count; run++)
        {
            var reached = new Dictionary<Place, int>();
            foreach (var place in Runs[run].Places)
            {
                var occurrence = reached[place] = reached.GetValueOrDefault(place) + 1;
                if (isWanted(place))
                {
                    yield return new PlannedCrash(run, new CrashPoint(place, occurrence));
                }
            }
        }
    }

    /// <summary>Shows the runs, one a line.</summary>
    public string Describe()
    {
        var text = new StringBuilder("What happened:");
        for (var i = 0; i < Runs.Count; i++)
        {
            var run = Runs[i];
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n  run {i + 1}: ");
            text.Append(run.Result is { } ended ? $"{Steps(ended)}{ended.HowItEnded()}{Error(ended)}" : $"crashed {run.Places[^1]}");
        }

        return text.ToString();
    }

    private static string Error(TestRun run)
        => run.Exception is { } exception
            ? RunText.Shorten($": {exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}")
            : "";

    private static string Steps(TestRun run)
        => string.Concat(run.Steps.Select(static step => $"{(step.WasRun ? "ran" : "skipped")} '{step.Name}', "));
}
