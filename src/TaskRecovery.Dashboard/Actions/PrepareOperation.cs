using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Prepares a bulk operation from a selection or a filter. Its page shows what it would do and asks for a confirmation.</summary>
internal sealed class PrepareOperation(IQueueOperator operations) : IAction
{
    private const int MaxIds = 1_000;

    public string Route => "operations/prepare";

    public string Describe(DashboardRequest request) => $"prepare to {request.Field("do")}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var form = EntryForm.Parse(request.Form["filter"].ToString(), request.Access.Data);
        var back = $"entries?{form.Address}";
        var what = request.Field("do");
        if (Action(what) is not { } action || form.IsRefused || form.Problems.Count > 0)
        {
            return new Done(back, "nothing-selected");
        }

        var ids = what!.EndsWith("-all", StringComparison.Ordinal) ? null : Ids(request);
        if (ids is { Count: 0 })
        {
            return new Done(back, "nothing-selected");
        }

        var preview = await operations.PreviewAsync(
            new BulkRequest { Action = action, EntryIds = ids, Query = ids is null ? form.Query : null },
            Audits.Of(request), request.Aborted).ConfigureAwait(false);
        return new Done($"operations/{preview.OperationId}", "prepared");
    }

    private static BulkAction? Action(string? what) => what switch
    {
        "retry" or "retry-all" => BulkAction.Retry,
        "cancel" or "cancel-all" => BulkAction.Cancel,
        _ => null,
    };

    private static List<long> Ids(DashboardRequest request)
        => [.. request.Form["id"].Take(MaxIds).Select(DashboardRequest.Whole).OfType<long>().Where(static id => id > 0)];
}
