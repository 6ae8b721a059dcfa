using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Takes the pictures of the documentation, on seeded data with a fixed clock. They go to artifacts/dashboard; copy them to
/// docs/dashboard if the pages have changed.</summary>
public sealed class ScreenshotTests(Chromium chromium)
{
    private static readonly (string Name, string Path, int Width, ColorScheme Scheme)[] Pictures =
    [
        ("overview-light", "", 1_280, ColorScheme.Light),
        ("overview-dark", "", 1_280, ColorScheme.Dark),
        ("entry-light", "entries/4127", 1_280, ColorScheme.Light),
        ("entries-light", "entries", 1_280, ColorScheme.Light),
        ("nodes-dark", "nodes", 1_280, ColorScheme.Dark),
        ("entries-phone", "entries?state=failed", 360, ColorScheme.Light),
    ];

    [Fact]
    public async Task Each_page_is_drawn()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        foreach (var (name, path, width, scheme) in Pictures)
        {
            await using var visitor = await Visitor.ComeAsync(chromium, app.Address, width, scheme);
            var file = Path.Combine(RepositoryFolder.Root, "artifacts", "dashboard", $"{name}.png");

            await visitor.Page.GotoAsync($"jobs/{path}");
            var picture = await visitor.Page.ScreenshotAsync(new PageScreenshotOptions { Path = file });

            Assert.True(picture.Length > 10_000, $"{file} has {picture.Length} bytes.");
            Assert.Equal([], visitor.Complaints);
        }
    }
}
