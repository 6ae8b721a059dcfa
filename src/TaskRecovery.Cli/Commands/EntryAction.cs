using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Retries or cancels one entry or many. One is an operation on one id, so that its undo restores what was there: the due time of
/// a cancelled entry, and the state, time and reason with which a retried one had ended.</summary>
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

    /// <summary>The states in which an action changes an entry.</summary>
    public static IReadOnlyList<EntryState> StatesOf(BulkAction action)
        => action == BulkAction.Retry ? [EntryState.Failed, EntryState.Cancelled] : [EntryState.Waiting, EntryState.Running];

    private static async Task<int> RunOneAsync(
        CommandCall call, long id, BulkAction action, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var subject = $"entry {Format.Number(id)}";
        if (call.IsDryRun && await FindRefusalAsync(call, id, action, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            return Write(call, new EntryActionResult(NameOf(action), subject, refusal, null));
        }

        var what = $"{action} {subject} in {call.Store.Where}{Describe(retry)}";
        if (await call.AskAsync(what, cancellationToken).ConfigureAwait(false) is { } answer)
        {
            return answer;
        }

        var request = new BulkRequest { Action = action, EntryIds = [id], Retry = retry };
        var preview = await call.Store.Operator.PreviewAsync(request, call.Audit, cancellationToken).ConfigureAwait(false);
        var operation = preview.OperationId;
        var result = await OperationRun.ChangeOneAsync(call, operation, cancellationToken).ConfigureAwait(false);
        var code = Write(call, new EntryActionResult(NameOf(action), subject, result, operation));
        if (result == OperatorResult.Done)
        {
            var limit = retry is null ? "" : " until it runs";
            call.Printer.Note($"operation {operation}: 'taskrecovery undo {operation}' reverses it{limit}.");
        }

        return code;
    }

    private static int Write(CommandCall call, EntryActionResult result)
        => ActionText.Write(call, new ActionResult(result.Action, result.Subject, result.Result), result);

    // Why the action would be refused, as far as the entry's state tells.
    private static async Task<OperatorResult?> FindRefusalAsync(
        CommandCall call, long id, BulkAction action, CancellationToken cancellationToken)
    {
        var life = await call.Store.Monitor.GetLifeAsync(id, cancellationToken: cancellationToken).ConfigureAwait(false);
        return (action, life?.Entry.State) switch
        {
            (_, null) => OperatorResult.NotFound,
            (_, { } state) when StatesOf(action).Contains(state) => null,
            (BulkAction.Retry, EntryState.Completed) => OperatorResult.Completed,
            (BulkAction.Retry, _) => OperatorResult.NotEnded,
            _ => OperatorResult.AlreadyEnded,
        };
    }

    private static string NameOf(BulkAction action) => action == BulkAction.Retry ? "retry" : "cancel";

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
