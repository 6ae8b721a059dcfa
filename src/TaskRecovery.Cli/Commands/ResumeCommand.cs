using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>resume</c>: ends a pause.</summary>
internal static class ResumeCommand
{
    public static Command Create(CommandFrame frame)
    {
        var targets = new PauseTargets();
        var command = new Command("resume", "Resumes a queue, a kind or a job.");
        targets.AddTo(command);
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var (target, shown) = await targets.ReadAsync(call, mayBeNew: false, cancellationToken).ConfigureAwait(false);
            if (await call.AskAsync($"Resume {shown} in {call.Store.Where}", cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var result = await call.SendAsync(one => one.ResumeAsync(target, call.Audit, cancellationToken)).ConfigureAwait(false);
            return ActionText.Write(call, new ActionResult("resume", shown, result));
        });
    }
}
