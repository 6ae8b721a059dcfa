using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Storage;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What selects the entries of a bulk operation, and how it retries them.</summary>
internal static class OperationFacts
{
    public static Markup Render(DashboardRequest request, BulkOperation one) => Html($"""
        {When(one.SampleIds is not null, Ui.Fact("Selects", Html($"entries that were given by id")))}
        {(one.Query is { } query ? Conditions(request, query) : default)}
        {Ui.Fact("Retries", Ui.Text(RetryText.Of(one.Retry)))}
        """);

    // The scope is that of every user who sees the operation, or that of another user's view: no condition that somebody chose.
    private static Markup Conditions(DashboardRequest request, EntryQuery query) => Html($"""
        {Ui.Fact("In the states", Ui.Text(string.Join(", ", query.States ?? []).ToLowerInvariant()))}
        {Name("In queue", query.Queue)}
        {Name("Of kind", query.Kind)}
        {Name("With the reason", query.Reason)}
        {Name("On node", query.Node)}
        {Ui.Fact("Of job", query.JobId is { } job ? Html($"<a href=\"{request.Href($"jobs/{job}")}\">{job}</a>") : default)}
        {Ui.Fact("Stored from", Shown.Exact(query.CreatedFrom))}
        {Ui.Fact("Stored before", Shown.Exact(query.CreatedTo))}
        {Ui.Fact("Ended from", Shown.Exact(query.EndedFrom))}
        {Ui.Fact("Ended before", Shown.Exact(query.EndedTo))}
        {Name("Of trace", query.TraceId)}
        {Data(request, "With the key", query.UniqueKey)}
        {Data(request, "With the metadata", query.Metadata is { } pair ? $"{pair.Key}={pair.Value}" : null)}
        {Data(request, "With the text", query.Text)}
        """);

    private static Markup Name(string what, string? name) => Ui.Fact(what, name is null ? default : Ui.Name(name));

    // A condition on data names data, which no redactor has seen.
    private static Markup Data(DashboardRequest request, string what, string? condition) => Ui.Fact(
        what, condition is null ? default
            : request.Access.Search ? Html($"<bdi>{condition}</bdi>")
            : Html($"<span class=\"muted\">shown to users who may search data</span>"));
}
