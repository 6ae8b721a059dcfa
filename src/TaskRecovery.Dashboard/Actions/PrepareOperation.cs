using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Prepares a bulk operation from a selection or a filter. Its page shows what it would do and asks for a confirmation.</summary>
internal sealed class PrepareOperation(Reads reads) : IAction
{
    private const int MaxIds = 1_000;

    public string Route => "operations/prepare";

    public IReadOnlyList<string> Members => ["do", "id", "filter", "all", "reason"];

    public string Describe(DashboardRequest request) => $"prepare to {request.Field("do")}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var form = EntryForm.Parse(request.Form["filter"].ToString(), request.Access);
        var back = $"entries?{form.Address}";
        var what = request.Field("do");
        if (Action(what) is not { } action || form.IsRefused)
        {
            return new Done(back, "nothing-selected");
        }

        var isAll = what!.EndsWith("-all", StringComparison.Ordinal);
        if (isAll && form.Problems.Count > 0)
        {
            throw new InvalidInputException(string.Join(' ', form.Problems));
        }

        if (isAll && !form.IsSelective && request.Field("all") is not ("true" or "True"))
        {
            return new Done(back, "filter-missing");
        }

        var ids = isAll ? null : Ids(request);
        if (ids is { Count: 0 })
        {
            return new Done(back, "nothing-selected");
        }

        if (isAll)
        {
            reads.LogSearch(request, form.DataConditions);
        }

        var preview = await reads.PreviewAsync(
            request,
            new BulkRequest
            {
                Action = action,
                EntryIds = ids,
                Query = ids is null ? form.Query : null,
                Scope = ids is null ? null : request.Access.Scope,
            },
            Audits.Of(request)).ConfigureAwait(false);
        return new Done($"operations/{preview.OperationId}", "prepared") { Entries = preview.Entries };
    }

    private static BulkAction? Action(string? what) => what switch
    {
        "retry" or "retry-all" => BulkAction.Retry,
        "cancel" or "cancel-all" => BulkAction.Cancel,
        _ => null,
    };

    // All or nothing: an id that were skipped would look as if its entry had been changed.
    private static List<long> Ids(DashboardRequest request)
    {
        var given = request.Form["id"];
        return given.Count > MaxIds
            ? throw new InvalidInputException($"{given.Count:N0} entries are selected. Select at most {MaxIds:N0}, or use a filter.")
            : [.. given.Select(static text => DashboardRequest.Whole(text?.Trim()) is { } id and > 0
                ? id
                : throw new InvalidInputException($"'{InvalidInputException.Shown(text)}' is not the id of an entry."))];
    }
}
