using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Retries or cancels one entry or many.</summary>
internal static class EntryAction
{
    public static async Task<int> RunAsync(
        CommandCall call, EntrySelection selection, BulkAction action, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var (ids, query) = await selection.ReadAsync(call, cancellationToken).ConfigureAwait(false);
        if (ids is { Count: 1 })
        {
            return await RunOneAsync(call, ids.First(), action, retry, cancellationToken).ConfigureAwait(false);
        }

        var request = new BulkRequest { Action = action, EntryIds = ids, Query = query, Retry = retry };
        return await BulkRun.RunAsync(call, request, Describe(retry), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> RunOneAsync(
        CommandCall call, long id, BulkAction action, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var subject = $"entry {Format.Number(id)}";
        if (!await call.ConfirmAsync(
            $"{action} {subject} in {call.Store.Where}{Describe(retry)}?", cancellationToken).ConfigureAwait(false))
        {
            return ExitCodes.Interrupted;
        }

        var result = action == BulkAction.Retry
            ? await call.Store.Operator.RetryAsync(id, call.Audit, retry, cancellationToken).ConfigureAwait(false)
            : await call.Store.Operator.CancelAsync(id, call.Audit, cancellationToken).ConfigureAwait(false);
        return ActionText.Write(call, new ActionResult(action == BulkAction.Retry ? "retry" : "cancel", subject, result));
    }

    private static string Describe(RetryOptions? retry)
    {
        if (retry is null)
        {
            return "";
        }

        var start = retry.From == RetryFrom.Start ? "from the beginning" : "after their last finished step";
        return retry.RunAt is { } time ? $", {start}, at {Format.Time(time)}" : $", {start}";
    }
}
