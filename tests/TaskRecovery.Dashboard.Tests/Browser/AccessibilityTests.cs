using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Every page in both themes: no violation that axe finds, no script error, nothing that the content security policy
/// refused.</summary>
public sealed class AccessibilityTests(Chromium chromium)
{
    // A theme changes colors only, and these are the rules about colors.
    private static readonly AxeRunOptions Colors = new() { RunOnly = RunOnlyOptions.Rules("color-contrast", "link-in-text-block") };

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
            await FindAsync(visitor, $"{path} light", null, found);
            if (width > 500)
            {
                await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
                await FindAsync(visitor, $"{path} dark", Colors, found);
                await visitor.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
            }
        }

        Assert.Equal([], found);
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task No_page_is_wider_than_its_window()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Huge(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var wide = new List<string>();

        foreach (var path in Requests.Layouts)
        {
            await visitor.Page.GotoAsync(path);
            foreach (var width in (int[])[1_024, 360])
            {
                await visitor.Page.SetViewportSizeAsync(width, 1_000);
                if (await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") is var actual && actual > width)
                {
                    wide.Add($"{path} in {width}: {actual}");
                }
            }
        }

        Assert.Equal([], wide);
    }

    [Fact]
    public async Task No_stored_text_runs_in_the_browser()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(Texts.Hostile), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);

        foreach (var path in Requests.Layouts)
        {
            await visitor.Page.GotoAsync(path);
            Assert.False(await visitor.Page.EvaluateAsync<bool>("'pwned' in window"), path);
        }

        Assert.Equal([], visitor.Complaints);
    }

    private static async Task FindAsync(Visitor visitor, string what, AxeRunOptions? rules, List<string> found)
    {
        var result = await visitor.Page.RunAxe(rules);
        found.AddRange(result.Violations.Select(
            violation => $"{what}: {violation.Id} {string.Join(" | ", violation.Nodes.Take(3).Select(static node => node.Html))}"));
    }
}
