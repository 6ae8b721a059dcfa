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
        var create = new Option<bool>("--new") { Description = "Also a queue or kind that no entry and no node has used yet." };
        var command = new Command("pause", "Pauses a queue, a kind or a job for every node. Running entries continue.") { until, create };
        targets.AddTo(command);
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            if (call.Get(create) && targets.AreJob(call))
            {
                throw CommandException.Usage("--new is for a queue or a kind: a job is created by an application.");
            }

            var (target, shown) = await targets.ReadAsync(call, call.Get(create), cancellationToken).ConfigureAwait(false);
            var end = await ReadEndAsync(call, call.Get(until), cancellationToken).ConfigureAwait(false);
            var duration = end is { } time ? $" until {Format.Time(time)}" : "";
            var already = call.SaidYes && !call.IsDryRun ? "" : await AlreadyAsync(call, target, cancellationToken).ConfigureAwait(false);
            if (await call.AskAsync($"Pause {shown} in {call.Store.Where}{duration}{already}", cancellationToken)
                .ConfigureAwait(false) is { } code)
            {
                return code;
            }

            var result = await call.SendAsync(one => one.PauseAsync(target, call.Audit, end, cancellationToken)).ConfigureAwait(false);
            return ActionText.Write(
                call, new ActionResult("pause", shown, result),
                ifNotFound: target.JobId is null ? "To pause a name that was never used, add --new." : null);
        });
    }

    // The new pause replaces the one that there is, so the question says whose it is.
    private static async Task<string> AlreadyAsync(CommandCall call, PauseTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return await FindPauseAsync(call, target, cancellationToken).ConfigureAwait(false) is { } pause
                ? $" (already {Format.Pause(pause)})"
                : "";
        }
        catch (TimeoutException)
        {
            // The list of queues or kinds counts what waits. If that takes too long, a pause is needed most.
            return " (whether it is paused already is not known, because the database is slow)";
        }
    }

    private static async Task<PauseInfo?> FindPauseAsync(CommandCall call, PauseTarget target, CancellationToken cancellationToken)
        => target switch
        {
            { QueueName: { } queue } => (await call.Store.Monitor.ListQueuesAsync(cancellationToken).ConfigureAwait(false))
                .FirstOrDefault(one => one.Name == queue)?.Pause,
            { KindName: { } kind } => (await call.Store.Monitor.ListKindsAsync(cancellationToken).ConfigureAwait(false))
                .FirstOrDefault(one => one.Name == kind)?.Pause,
            _ => (await call.Store.Jobs.GetAsync(target.JobId!.Value, cancellationToken).ConfigureAwait(false))?.Pause,
        };

    private static async ValueTask<DateTimeOffset?> ReadEndAsync(CommandCall call, string? text, CancellationToken cancellationToken)
    {
        if (text is null)
        {
            return null;
        }

        var now = await call.Store.Operator.GetTimeAsync(cancellationToken).ConfigureAwait(false);
        var end = Values.Future("--until", text, now);
        return end > now
            ? end
            : throw CommandException.Usage($"--until is '{Format.Time(end)}', which is in the past: use a later time.");
    }
}
