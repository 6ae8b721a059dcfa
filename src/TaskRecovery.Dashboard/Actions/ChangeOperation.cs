using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Starts, stops or undoes a bulk operation. The form names its id only; what it does was stored when it was prepared.</summary>
/// <param name="verb"><c>start</c>, <c>stop</c> or <c>undo</c>.</param>
/// <param name="operations">The operator's actions.</param>
/// <param name="reads">What the user sees.</param>
internal sealed class ChangeOperation(string verb, IQueueOperator operations, Reads reads) : IAction
{
    public string Route => $"operations/{{id:long}}/{verb}";

    public IReadOnlyList<string> Members => ["reason"];

    public string Describe(DashboardRequest request) => $"{verb} operation {request.Route("id")}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var id = request.Id;
        if (request.Access.Scope is not null && await reads.OperationAsync(request, id).ConfigureAwait(false) is null)
        {
            return new Done($"operations/{id}", "refused-missing");
        }

        var audit = Audits.Of(request);
        var (result, operation) = await UnconfirmedException.WhileAsync(() => verb switch
        {
            "start" => operations.StartAsync(id, audit, request.Aborted),
            "stop" => operations.StopAsync(id, audit, request.Aborted),
            _ => operations.UndoAsync(id, audit, request.Aborted),
        }).ConfigureAwait(false);
        if (result == OperationResult.Done && verb == "undo" && operation is { Expected.Value: <= 1 })
        {
            await UnconfirmedException.WhileAsync(() => operations.ContinueAsync(operation.Id, request.Aborted)).ConfigureAwait(false);
        }

        return new Done(
            $"operations/{operation?.Id ?? id}",
            result != OperationResult.Done ? Refused(result) : verb switch { "start" => "started", "stop" => "stopped", _ => "undoing" });
    }

    /// <summary>The code of the note about a command that was not carried out.</summary>
    public static string Refused(OperationResult result) => result switch
    {
        OperationResult.Expired => "operation-expired",
        OperationResult.OtherActor => "operation-other",
        OperationResult.WrongState => "operation-state",
        _ => "refused-missing",
    };
}
