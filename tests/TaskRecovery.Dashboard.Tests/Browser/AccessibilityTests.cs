using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Every page in both themes: no violation that axe finds, no script error, nothing that the content security policy
/// refused.</summary>
public sealed class AccessibilityTests(Chromium chromium)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1_440)]
    [InlineData(ColorScheme.Dark, 1_440)]
    [InlineData(ColorScheme.Light, 360)]
    public async Task Axe_finds_nothing(ColorScheme scheme, int width)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, width, scheme);
        var found = new List<string>();

        // A phone has the same content in another layout: a third of the pages is enough.
        foreach (var path in Requests.Layouts.Where((_, index) => width > 500 || index % 3 == 0))
        {
            await visitor.Page.GotoAsync(path);
            var result = await visitor.Page.RunAxe();
            found.AddRange(result.Violations.Select(
                violation => $"{path}: {violation.Id} {string.Join(" | ", violation.Nodes.Take(3).Select(static node => node.Html))}"));
        }

        Assert.Equal([], found);
        Assert.Equal([], visitor.Complaints);
    }

    [Theory]
    [InlineData(360)]
    [InlineData(1_024)]
    public async Task No_page_is_wider_than_its_window(int width)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Huge(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, width);
        var wide = new List<string>();

        foreach (var path in Requests.Layouts)
        {
            await visitor.Page.GotoAsync(path);
            if (await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") is var actual && actual > width)
            {
                wide.Add($"{path}: {actual}");
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
}
