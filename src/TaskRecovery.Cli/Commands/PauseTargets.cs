using System.CommandLine;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Commands;

/// <summary>The arguments that name what is paused or resumed.</summary>
internal sealed class PauseTargets
{
    private readonly Argument<string> _what = new("WHAT") { Description = "queue, kind or job." };
    private readonly Argument<string> _name = new("NAME") { Description = "The name, or the id of a job." };

    /// <summary>Adds the arguments to a command.</summary>
    public void AddTo(Command command)
    {
        command.Arguments.Add(_what);
        command.Arguments.Add(_name);
    }

    /// <summary>Whether the arguments name a job.</summary>
    public bool AreJob(CommandCall call) => call.Get(_what) == "job";

    /// <summary>Reads the arguments.</summary>
    /// <param name="call">The call.</param>
    /// <param name="mayBeNew">Whether a queue or kind that was never used is added.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <returns>The target, and how it is shown.</returns>
    public async Task<(PauseTarget Target, string Shown)> ReadAsync(
        CommandCall call, bool mayBeNew, CancellationToken cancellationToken)
    {
        var (what, name) = (call.Get(_what)!, call.Get(_name)!);
        if (name.Length == 0)
        {
            throw CommandException.Usage("NAME is empty: give the name of the queue, kind or job.");
        }

        var target = what switch
        {
            "queue" => PauseTarget.Queue(name, mayBeNew),
            "kind" => PauseTarget.Kind(name, mayBeNew),
            "job" => PauseTarget.Job(await EntryFilters.FindJobAsync(call.Store, name, cancellationToken).ConfigureAwait(false)),
            _ => throw CommandException.Usage($"WHAT is '{what}': use queue, kind or job."),
        };
        return (target, $"{what} {name}");
    }
}
