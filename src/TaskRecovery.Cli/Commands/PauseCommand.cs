using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>pause</c>: no node starts entries of a queue, a kind or a job.</summary>
internal static class PauseCommand
{
    public static Command Create(CommandFrame frame)
    {
        var targets = new PauseTargets();
        var until = new Option<string?>("--until") { Description = "When the pause ends: a time, or a duration from now such as 2h." };
        var command = new Command("pause", "Pauses a queue, a kind or a job for every node. Running entries continue.") { until };
        targets.AddTo(command);
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var (target, shown) = await targets.ReadAsync(call, cancellationToken).ConfigureAwait(false);
            var end = Values.Future("--until", call.Get(until));
            if (end <= TimeProvider.System.GetUtcNow())
            {
                throw CommandException.Usage($"--until is '{Format.Time(end)}', which is in the past: use a later time.");
            }

            var duration = end is { } time ? $" until {Format.Time(time)}" : "";
            if (await call.AskAsync($"Pause {shown} in {call.Store.Where}{duration}", cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var result = await call.Store.Operator.PauseAsync(target, call.Audit, end, cancellationToken).ConfigureAwait(false);
            return ActionText.Write(call, new ActionResult("pause", shown, result));
        });
    }
}
