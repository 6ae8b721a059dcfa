using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Under a path base and behind a proxy that removes a prefix, without a setting: pages, assets, actions and live
/// updates.</summary>
public sealed class ProxyTests(Chromium chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Behind_a_proxy_that_removes_a_prefix_everything_works(bool forwards)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var proxy = await PrefixProxy.StartAsync(app.Address, forwards);

        await VisitAsync(app, new Uri(proxy.Address, "jobs"));
    }

    [Fact]
    public async Task Under_a_path_base_everything_works()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers with { PathBase = "/shop" });

        await VisitAsync(app, new Uri(app.Address, "shop/jobs"));
    }

    private async Task VisitAsync(DashboardApp app, Uri address)
    {
        await using var visitor = await Visitor.ComeAsync(chromium, address);
        var page = visitor.Page;

        await page.GotoAsync(address.ToString());
        await page.GetByLabel("Pages").GetByText("Queues").ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Resume" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("Resumed.");
        Assert.StartsWith(address + "/queues", page.Url, StringComparison.Ordinal);
        Assert.Equal("resume queue reports", Assert.Single(app.Operations.Done).Action);

        app.System.Snapshot = app.System.Snapshot with { Failed = new Count(7_777) };
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await Expect(page.Locator(".side .tally.bad").Last).ToContainTextAsync("7777");
        Assert.Equal([], visitor.Complaints);
    }
}
