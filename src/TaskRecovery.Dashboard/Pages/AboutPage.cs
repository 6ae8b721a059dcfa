using System.Reflection;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What this dashboard is, what its user may do, and how to change it.</summary>
internal sealed class AboutPage(Reads reads, IOptions<DashboardOptions> options, EnvironmentBadge environment) : IPage
{
    public string Route => "about";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var snapshot = await reads.TrySnapshotAsync(request).ConfigureAwait(false);
        var nodes = await reads.NodesAsync(request).ConfigureAwait(false);
        var versions = nodes.Where(static node => node.State == NodeState.Alive).Select(
            static node => node.LibraryVersion).OfType<string>().Distinct().Order().ToList();
        var isWhole = request.Access.Scope is null;
        return new Page("About", Section.About, Html($"""
            <div class="columns">
            <div class="stack">
            {Ui.Card("This dashboard", Ui.Body(Html($"""
                <dl class="facts">
                {Ui.Fact("Version", Html($"{Version()}"))}
                {Ui.Fact("Environment", Html($"{environment.Name}"))}
                {When(isWhole, Ui.Fact(
                    "Living nodes run", Html($"{(versions.Count == 0 ? "none" : string.Join(", ", versions))}")))}
                {(snapshot is null || !isWhole ? default : Ui.Fact("Stored entries", Html($"{Shown.Number(snapshot.Stored)}")))}
                {(snapshot is null ? default : Ui.Fact("Database time", Shown.Clock(snapshot.TakenAt)))}
                </dl>
                """)))}
            {Ui.Card("Numbers", Ui.Body(Html($"""
                <dl class="facts">
                {Ui.Fact("12,345", Html($"is exact."))}
                {Ui.Fact("10,000+", Html($"is where counting stopped: there are at least as many."))}
                {Ui.Fact("≈ 5.0 million", Html($"is an estimate of the database."))}
                {Ui.Fact("Per minute, hour, day", Html(
                    $"are added up by the nodes every 10 s. What a crashed process had not stored is missing."))}
                </dl>
                """)))}
            </div>
            <div class="stack">
            {Ui.Card("You", Ui.Body(Html($"""
                <ul class="rights">
                <li>{Ui.State("completed", "See")} <span class="muted">{(isWhole ? "the pages" : "a part of the entries")}, as
                    {Ui.Name(request.Access.User)}</span></li>
                <li>{Right(request.Access.Data, "See data", options.Value.DataPolicy, "DataPolicy")}</li>
                <li>{Right(request.Access.Operate, "Act", options.Value.OperatePolicy, "OperatePolicy")}</li>
                </ul>
                """)))}
            </div>
            </div>
            """));
    }

    private static Markup Right(bool has, string name, string? policy, string option) => Html($"""
        {(has ? Ui.State("completed", name) : Ui.State("cancelled", name))} <span class="muted">{(policy
            is null ? $"nobody may: {option} names no policy" : has ? $"by the policy {policy}" : $"needs the policy {policy}")}</span>
        """);

    private static string Version()
        => typeof(AboutPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "unknown";
}
