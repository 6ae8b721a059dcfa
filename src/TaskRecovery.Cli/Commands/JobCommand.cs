using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>job</c>: runs or deletes one job.</summary>
internal static class JobCommand
{
    public static Command Create(CommandFrame frame) => new("job", "Runs or deletes one job. To pause it, use 'pause job NAME'.")
    {
        CreateRun(frame),
        CreateDelete(frame),
    };

    private static Command CreateRun(CommandFrame frame)
    {
        var name = Name();
        var overlap = new Option<string?>("--overlap")
        {
            Description = "What happens if another run is unfinished: skip, queueOne, cancelPrevious or allow. Default: the job's policy.",
        };
        var command = new Command("run", "Runs a job now, in addition to its schedule.") { name, overlap };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            OverlapPolicy? policy = call.Get(overlap) is { } given ? Values.Name<OverlapPolicy>("--overlap", given) : null;
            var (id, shown) = await FindAsync(call, name, cancellationToken).ConfigureAwait(false);
            if (await call.AskAsync($"Run {shown} now in {call.Store.Where}", cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            if (await call.Store.Operator.TriggerJobAsync(id, call.Audit, policy, cancellationToken).ConfigureAwait(false) is not { } entry)
            {
                call.Printer.Note($"run {shown}: nothing was changed, because it is paused, has ended or was deleted.");
                return ExitCodes.Found;
            }

            if (call.AsJson)
            {
                call.Json(new TriggerResult(call.Get(name)!, entry));
            }
            else
            {
                call.Printer.Line(string.Create(CultureInfo.InvariantCulture, $"run {shown}: done, it is entry {entry}"));
            }

            return ExitCodes.Done;
        });
    }

    private static Command CreateDelete(CommandFrame frame)
    {
        var name = Name();
        var command = new Command(
            "delete", "Deletes a job and cancels its unfinished runs. If it is declared in code, the next start creates it again.")
            {
                name,
            };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var (id, shown) = await FindAsync(call, name, cancellationToken).ConfigureAwait(false);
            if (await call.AskAsync($"Delete {shown} in {call.Store.Where}", cancellationToken).ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var result = await call.Store.Operator.DeleteJobAsync(id, call.Audit, cancellationToken).ConfigureAwait(false);
            return ActionText.Write(call, new ActionResult("delete", shown, result));
        });
    }

    private static Argument<string> Name() => new("NAME") { Description = "The name or id of the job." };

    private static async Task<(Guid Id, string Shown)> FindAsync(
        CommandCall call, Argument<string> name, CancellationToken cancellationToken)
    {
        var given = call.Get(name)!;
        return (await EntryFilters.FindJobAsync(call.Store, given, cancellationToken).ConfigureAwait(false), $"job {given}");
    }
}
