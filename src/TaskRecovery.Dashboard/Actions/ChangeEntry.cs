using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Retries or cancels one entry. It is a bulk operation on one id, so that its undo restores what was there: the due time of a
/// cancelled entry, and the state, time and reason with which a retried one had ended.</summary>
internal sealed class ChangeEntry(BulkAction action, IQueueMonitor monitor, IQueueOperator operations, Reads reads, TimeProvider time)
    : IAction
{
    // How long the answer waits for the result if another process is doing the operation's step, and how often it looks.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public string Route => action == BulkAction.Retry ? "entries/{id:long}/retry" : "entries/{id:long}/cancel";

    public IReadOnlyList<string> Members => action == BulkAction.Retry ? ["reason", "from"] : ["reason"];

    public string Describe(DashboardRequest request) => $"{(action == BulkAction.Retry ? "retry" : "cancel")} entry {request.Id}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var id = request.Id;
        if (request.Access.Scope is not null && await reads.LifeAsync(request, id).ConfigureAwait(false) is null)
        {
            return Answer(id, OperatorResult.NotFound);
        }

        if (monitor.Features.HasFlag(MonitorFeatures.BulkOperations))
        {
            return await ChangeWithUndoAsync(request, id).ConfigureAwait(false);
        }

        var (audit, options) = (Audits.Of(request), Retry(request));
        return Answer(id, await UnconfirmedException.WhileAsync(() => options is { } retry
            ? operations.RetryAsync(id, audit, retry, request.Aborted)
            : operations.CancelAsync(id, audit, request.Aborted)).ConfigureAwait(false));
    }

    private RetryOptions? Retry(DashboardRequest request) => action != BulkAction.Retry ? null : new RetryOptions
    {
        From = request.Form["from"].ToString() switch
        {
            "" or "step" => RetryFrom.LastStep,
            "start" => RetryFrom.Start,
            var other => throw InvalidInputException.Of("from", other, "step or start"),
        },
    };

    private async ValueTask<Done> ChangeWithUndoAsync(DashboardRequest request, long id)
    {
        var audit = Audits.Of(request);
        var preview = await operations.PreviewAsync(
            new BulkRequest { Action = action, EntryIds = [id], Scope = request.Access.Scope, Retry = Retry(request) },
            audit, request.Aborted).ConfigureAwait(false);
        try
        {
            return await CarryOutAsync(request, id, preview.OperationId, audit).ConfigureAwait(false);
        }
        catch (Exception failure) when (UnconfirmedException.IsCause(failure))
        {
            throw new UnconfirmedException(failure, [$"operations/{preview.OperationId}"]);
        }
    }

    private async ValueTask<Done> CarryOutAsync(DashboardRequest request, long id, long operation, AuditInfo audit)
    {
        var (started, _) = await operations.StartAsync(operation, audit, request.Aborted).ConfigureAwait(false);
        if (started != OperationResult.Done)
        {
            return Noted(id, ChangeOperation.Refused(started));
        }

        var current = await ContinueAsync(request, operation).ConfigureAwait(false);
        if (current is { State: OperationState.Running })
        {
            return Noted(id, action == BulkAction.Retry ? "retrying" : "cancelling");
        }

        // A question that takes too long must not make an action that was done look like one that failed.
        if (current is { Done: > 0 })
        {
            return Answer(id, OperatorResult.Done) with { Undo = operation };
        }

        var entries = await operations.ListOperationEntriesAsync(
            new OperationEntryQuery { OperationId = operation }, request.Aborted).ConfigureAwait(false);
        var result = entries.Entries is [var changed, ..] ? changed.Result : OperatorResult.NotFound;
        return Answer(id, result) with { Undo = result == OperatorResult.Done ? operation : null };
    }

    // Any node continues the operation too. If one is doing its only step, this process can't, and the result is not known yet.
    private async ValueTask<BulkOperation?> ContinueAsync(DashboardRequest request, long operation)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            var current = await operations.ContinueAsync(operation, request.Aborted).ConfigureAwait(false);
            if (current is not { State: OperationState.Running } || time.GetElapsedTime(since) >= Patience)
            {
                return current;
            }

            await Task.Delay(Pause, time, request.Aborted).ConfigureAwait(false);
        }
    }

    private Done Answer(long id, OperatorResult result) => Noted(id, result switch
    {
        OperatorResult.Done => action == BulkAction.Retry ? "retried" : "cancelled",
        OperatorResult.NotEnded => "refused-not-ended",
        OperatorResult.Completed => "refused-completed",
        OperatorResult.KeyHeld => "refused-key",
        OperatorResult.Erased => "refused-erased",
        OperatorResult.AlreadyEnded => "refused-ended",
        OperatorResult.Changed => "refused-changed",
        _ => "refused-missing",
    });

    private static Done Noted(long id, string note) => new($"entries/{id}", note) { Number = id };
}
