using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>The pages that refuse or have nothing to show: as <see cref="AccessibilityTests"/>, beside them.</summary>
public sealed class AccessibilityOfRefusalsTests(Chromium chromium)
{
    private static readonly EntryScope OneQueue = new() { Queues = ["default"] };

    [Fact]
    public async Task Axe_finds_nothing_on_pages_that_say_no_or_have_nothing()
    {
        var found = new List<string>();
        var complaints = new List<string>();
        (FakeSystem System, AppSetup Setup, string[] Paths)[] visits =
        [
            (Shop.Open(), AppSetup.ForBrowsers,
                ["jobs/kinds", "jobs/entries?group=kind", "jobs/entries?kind=none", "jobs/entries/1", "jobs/operations/99",
                "jobs/entries?x=1"]),
            (Shop.Open(), AppSetup.ForBrowsers with { OperatePolicy = null, DataPolicy = null },
                [$"jobs/entries/{Shop.FailedEntry}", "jobs/entries?text=a", "jobs/about"]),
            (Shop.Open(), AppSetup.ForBrowsers with { Configure = static options => options.Scope = static _ => OneQueue },
                ["jobs/", "jobs/nodes", "jobs/events"]),
            (Shop.Empty(), AppSetup.ForBrowsers, ["jobs/", "jobs/queues", "jobs/entries", "jobs/kinds", "jobs/jobs", "jobs/tasks",
                "jobs/nodes", "jobs/events", "jobs/operations", "jobs/search"]),
            (Shop.Open(), new AppSetup { Policy = null }, ["jobs/"]),
        ];
        foreach (var (system, setup, paths) in visits)
        {
            await using var app = await DashboardApp.StartAsync(system, setup);
            await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
            foreach (var path in paths)
            {
                await visitor.Page.GotoAsync(path);
                await Axe.FindAsync(visitor, path, found);
            }

            // The browser itself writes about a page that says no.
            complaints.AddRange(visitor.Complaints.Where(static one => !one.Contains("Failed to load resource", StringComparison.Ordinal)));
        }

        Assert.Equal([], found);
        Assert.Equal([], complaints);
    }
}
