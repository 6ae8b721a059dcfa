using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Takes the pictures of the documentation, on seeded data with a fixed clock. They go to artifacts/dashboard; copy them to
/// docs/dashboard if the pages have changed.</summary>
public sealed class ScreenshotTests(Chromium chromium)
{
    [Theory]
    [InlineData("overview-light", "", 1_280, ColorScheme.Light)]
    [InlineData("overview-dark", "", 1_280, ColorScheme.Dark)]
    [InlineData("entry-light", "entries/4127", 1_280, ColorScheme.Light)]
    [InlineData("entries-light", "entries", 1_280, ColorScheme.Light)]
    [InlineData("nodes-dark", "nodes", 1_280, ColorScheme.Dark)]
    [InlineData("entries-phone", "entries?state=failed", 360, ColorScheme.Light)]
    public async Task A_page_is_drawn(string name, string path, int width, ColorScheme scheme)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, width, scheme);
        var file = Path.Combine(Repository.Root, "artifacts", "dashboard", $"{name}.png");

        await visitor.Page.GotoAsync($"jobs/{path}");
        var picture = await visitor.Page.ScreenshotAsync(new PageScreenshotOptions { Path = file });

        Assert.True(picture.Length > 10_000, $"{file} has {picture.Length} bytes.");
        Assert.Equal([], visitor.Complaints);
    }
}
