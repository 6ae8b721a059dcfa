using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Every page with far too much in it, and with an attack in every text.</summary>
public sealed class LayoutTests(Chromium chromium)
{
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

        foreach (var path in Requests.Pages)
        {
            await visitor.Page.GotoAsync(path);
            Assert.False(await visitor.Page.EvaluateAsync<bool>("'pwned' in window"), path);
        }

        Assert.Equal([], visitor.Complaints);
    }
}
