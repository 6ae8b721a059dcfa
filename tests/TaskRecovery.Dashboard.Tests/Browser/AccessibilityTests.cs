using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Every page in both themes: no violation that axe finds, no script error, nothing that the content security policy
/// refused.</summary>
public sealed class AccessibilityTests(Chromium chromium)
{
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
            await Axe.FindAsync(visitor, path, found);
        }

        Assert.Equal([], found);
        Assert.Equal([], visitor.Complaints);
    }
}
