using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>job</c>: runs, backfills or deletes one job.</summary>
internal static class JobCommand
{
    public static Command Create(CommandFrame frame) => new("job", "Runs, backfills or deletes one job. To pause it, use 'pause job NAME'.")
    {
        CreateRun(frame),
        CreateBackfill(frame),
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

            var triggered = await call.SendAsync(
                one => one.TriggerJobAsync(id, call.Audit, policy, cancellationToken)).ConfigureAwait(false);
            if (triggered is not { } entry)
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

    private static Command CreateBackfill(CommandFrame frame)
    {
        var name = Name();
        var from = new Option<string?>("--from")
        {
            Description = "The beginning of the range, such as 2026-03-29T12:00:00Z, or 20h for 20 hours ago.",
            Required = true,
        };
        var to = new Option<string?>("--to")
        {
            Description = "The end of the range. Due times from the planned run on are not part of it. Default: now.",
        };
        var command = new Command(
            "backfill", "Runs a job for every due time in a range of the past that has no task. --dry-run lists all due times in it.")
            {
                name, from, to,
            };
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            var (id, shown) = await FindAsync(call, name, cancellationToken).ConfigureAwait(false);
            var begin = Values.Past("--from", call.Get(from))!.Value;
            var end = Values.Past("--to", call.Get(to)) ?? TimeProvider.System.GetUtcNow();
            try
            {
                return await BackfillAsync(call, call.Get(name)!, id, shown, begin, end, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidOperationException)
            {
                call.Printer.Note($"backfill {shown}: nothing was changed, because it is paused, has ended, runs once or was deleted.");
                return ExitCodes.Found;
            }
        });
    }

    private static async Task<int> BackfillAsync(
        CommandCall call, string name, Guid id, string shown, DateTimeOffset begin, DateTimeOffset end, CancellationToken cancellationToken)
    {
        var dues = await call.Store.Operator.PreviewBackfillAsync(id, begin, end, cancellationToken).ConfigureAwait(false);
        if (dues.Count == 0)
        {
            call.Printer.Note(
                $"backfill {shown}: nothing was changed, because no run was due from {Format.Time(begin)} to {Format.Time(end)}.");
            return ExitCodes.Found;
        }

        // The tool does not know the options of the application, so it compares with the default.
        var kept = new RetentionOptions().Completed;
        if (dues[0] < TimeProvider.System.GetUtcNow() - kept)
        {
            call.Printer.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"backfill {shown}: it repeats runs that completed more than {kept.TotalHours:0} hours ago, because their tasks are "
                + $"removed then. If the application sets {nameof(TaskRecoveryOptions.Retention)}.{nameof(RetentionOptions.Completed)}, "
                + $"its time counts instead of {kept.TotalHours:0} hours."));
        }

        if (await call.Store.Jobs.GetAsync(id, cancellationToken).ConfigureAwait(false) is { UpdatedAt: var changed } && dues[0] < changed)
        {
            call.Printer.Note(
                $"backfill {shown}: its range begins before the job was created or last changed ({Format.Time(changed)}). Its due times "
                + "are those of the schedule and time zone of today, so that it may repeat what ran at other times before.");
        }

        var times = dues.Count == 1 ? "one due time" : string.Create(CultureInfo.InvariantCulture, $"{dues.Count} due times");
        var what = $"Run {shown} for those of {times} from {Format.Time(dues[0])} to {Format.Time(dues[^1])} that have no task, "
            + $"in {call.Store.Where}";
        if (await call.AskAsync(what, cancellationToken, dues).ConfigureAwait(false) is { } code)
        {
            return code;
        }

        var runs = await call.SendAsync(one => one.BackfillJobAsync(id, begin, end, call.Audit, cancellationToken)).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(new BackfillResult(name, runs));
        }
        else
        {
            call.Printer.Line(string.Create(CultureInfo.InvariantCulture, $"backfill {shown}: done, {runs} runs"));
        }

        return ExitCodes.Done;
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

            var result = await call.SendAsync(one => one.DeleteJobAsync(id, call.Audit, cancellationToken)).ConfigureAwait(false);
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
