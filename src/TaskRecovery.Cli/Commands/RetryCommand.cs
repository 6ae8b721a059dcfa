using System.CommandLine;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>retry</c>: failed and cancelled entries run again.</summary>
internal static class RetryCommand
{
    public static Command Create(CommandFrame frame)
    {
        var selection = new EntrySelection();
        var fromStart =
            new Option<bool>("--from-start") { Description = "Start from the beginning: remove finished steps and the checkpoint." };
        var at = new Option<string?>("--at") { Description = "The earliest time to run: a time, or a duration from now such as 2h." };
        var command = new Command("retry", "Puts failed and cancelled entries back into their queues.") { fromStart, at };
        selection.AddTo(command);
        return frame.Writes(command, async (call, cancellationToken) =>
        {
            DateTimeOffset? runAt = call.Get(at) is not { } text ? null : Values.Future(
                "--at", text, await call.Store.Operator.GetTimeAsync(cancellationToken).ConfigureAwait(false));
            var options = new RetryOptions
            {
                From = call.Get(fromStart) ? RetryFrom.Start : RetryFrom.LastStep,
                RunAt = runAt,
            };
            return await EntryAction.RunAsync(call, selection, BulkAction.Retry, options, cancellationToken).ConfigureAwait(false);
        });
    }
}
