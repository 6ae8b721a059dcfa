using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Every page in both themes: no violation that axe finds, no script error, nothing that the content security policy
/// refused.</summary>
public sealed class AccessibilityTests(Chromium chromium)
{
    private static readonly EntryScope OneQueue = new() { Queues = ["default"] };

    // What is right needs no details, which take most of the time.
    private static readonly AxeRunOptions All = new() { ResultTypes = [ResultType.Violations] };

    // A theme changes colors only, and these are the rules about colors.
    private static readonly AxeRunOptions Colors = new()
    {
        RunOnly = RunOnlyOptions.Rules("color-contrast", "link-in-text-block"),
        ResultTypes = [ResultType.Violations],
    };

    [Theory]
    [InlineData(1_440)]
    [InlineData(360)]
    public async Task Axe_finds_nothing(int width)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, width);
        var found = new List<string>();

        // A phone has the same content in another layout: a third of the pages is enough.
        foreach (var path in Requests.Layouts.Where((_, index) => width > 500 || index % 3 == 0))
        {
            await visitor.Page.GotoAsync(path);
            await FindAsync(visitor, path, found);
        }

        Assert.Equal([], found);
        Assert.Equal([], visitor.Complaints);
    }

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
                await FindAsync(visitor, path, found);
            }

            // The browser itself writes about a page that says no.
            complaints.AddRange(visitor.Complaints.Where(static one => !one.Contains("Failed to load resource", StringComparison.Ordinal)));
        }

        Assert.Equal([], found);
        Assert.Equal([], complaints);
    }

    private static async Task FindAsync(Visitor visitor, string path, List<string> found)
    {
        await FindAsync(visitor, $"{path} light", All, found);
        await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await FindAsync(visitor, $"{path} dark", Colors, found);
        await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
    }

    // The other way opens a second page for each run and loads axe there again, for frames of other sites. Our pages have no frames.
    private static async Task FindAsync(Visitor visitor, string what, AxeRunOptions rules, List<string> found)
    {
#pragma warning disable CS0618
        var result = await visitor.Page.RunAxeLegacy(options: rules);
#pragma warning restore CS0618
        found.AddRange(result.Violations.Select(
            violation => $"{what}: {violation.Id} {string.Join(" | ", violation.Nodes.Take(3).Select(static node => node.Html))}"));
    }
}
