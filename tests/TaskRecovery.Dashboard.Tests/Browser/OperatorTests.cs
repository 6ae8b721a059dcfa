using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>What an operator does, with the mouse, with the keyboard alone, and without a script.</summary>
public sealed class OperatorTests(Chromium chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failed_entry_is_found_retried_and_undone(bool script)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, script: script);
        var page = visitor.Page;

        await page.GotoAsync("jobs/");
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Entries", Exact = false }).First.ClickAsync();
        await page.GetByLabel("State", new PageGetByLabelOptions { Exact = true }).GetByText("Failed").ClickAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = $"{Shop.FailedEntry}", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Retry" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync($"Entry {Shop.FailedEntry} is back in its queue.");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("is being undone");

        Assert.Equal(
            ["preview Retry", "start operation 7", "undo operation 7"], app.Operations.Done.Select(static done => done.Action));
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task Keys_are_enough()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var page = visitor.Page;
        await page.GotoAsync("jobs/");

        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("#keys")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await PressUntilTitleAsync(page, "Entries · TaskRecovery", "g", "e");
        await page.GotoAsync("jobs/entries?state=failed");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("x");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("k");
        await page.Keyboard.PressAsync("x");
        await Expect(page.Locator("[data-chosen]")).ToHaveTextAsync("2 selected");
        await page.Keyboard.PressAsync("r");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Retry 19 entries");

        Assert.Equal(2, app.Operations.Prepared?.EntryIds?.Count);
    }

    // The second key counts for 1.5 s after the first, which a busy machine may need for one of them.
    private static async Task PressUntilTitleAsync(IPage page, string title, params string[] keys)
    {
        for (var attempt = 1; ; attempt++)
        {
            foreach (var key in keys)
            {
                await page.Keyboard.PressAsync(key);
            }

            try
            {
                await Expect(page).ToHaveTitleAsync(title, new PageAssertionsToHaveTitleOptions { Timeout = 10_000 });
                return;
            }
            catch (PlaywrightException) when (attempt < 20)
            {
                // Once more.
            }
        }
    }

    [Fact]
    public async Task Keys_open_an_entry_and_cancel_it()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var page = visitor.Page;
        await page.GotoAsync("jobs/entries?state=waiting");

        var first = await page.Locator("tbody tr").First.Locator("a").InnerTextAsync();
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".crumb")).ToContainTextAsync(first);
        await page.Keyboard.PressAsync("c");
        await Expect(page.Locator(".toasts")).ToBeVisibleAsync();

        Assert.Equal(["preview Cancel", "start operation 7"], app.Operations.Done.Select(static done => done.Action));
        Assert.Equal([long.Parse(first, System.Globalization.CultureInfo.InvariantCulture)], app.Operations.Prepared?.EntryIds!);
        Assert.Equal([], visitor.Complaints);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_action_takes_a_reason(bool script)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, script: script);
        var page = visitor.Page;

        await page.GotoAsync($"jobs/entries/{Shop.FailedEntry}");
        await page.Locator(".why summary").ClickAsync();
        await page.Locator(".why input").FillAsync("the gateway is back");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Retry", Exact = true }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToBeVisibleAsync();
        await page.GotoAsync("jobs/operations/7");
        await page.Locator("#why").FillAsync("all of them");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Retry 19 entries" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("started");

        Assert.Equal(
            [("preview Retry", "the gateway is back"), ("start operation 7", "the gateway is back"), ("start operation 7", "all of them")],
            app.Operations.Done.Select(static done => (done.Action, done.Audit.Reason)));
        Assert.Equal([], visitor.Complaints);
    }

    [Theory]
    [InlineData("queues", "reports", "resume queue reports", "pause queue reports")]
    [InlineData("kinds", "thumbnail", "resume kind thumbnail", "pause kind thumbnail")]
    public async Task A_pause_and_a_resumption_can_be_undone(string path, string name, string expected, string undone)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var page = visitor.Page;

        await page.GotoAsync($"jobs/{path}");
        await page.Locator("tr", new PageLocatorOptions { HasText = name })
            .GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Resume" }).ClickAsync();
        await page.Locator(".toasts").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("Paused.");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex($"/jobs/{path}$"));
        await page.Locator(".toasts").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Undo" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("Resumed.");

        Assert.Equal([expected, undone, expected], app.Operations.Done.Select(static done => done.Action));
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task A_search_by_key_goes_to_the_entry()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/queues");

        await visitor.Page.Keyboard.PressAsync("/");
        await visitor.Page.Keyboard.TypeAsync($"{Shop.CrashedEntry}");
        await visitor.Page.Keyboard.PressAsync("Enter");

        await Expect(visitor.Page.Locator("h1")).ToHaveTextAsync("order.confirm");
    }

    [Fact]
    public async Task A_bulk_operation_shows_what_it_would_do_before_it_starts()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var page = visitor.Page;

        await page.GotoAsync("jobs/entries?state=failed");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Retry all" }).ClickAsync();

        await Expect(page.Locator(".lead")).ToContainTextAsync("19 entries in Staging");
        Assert.Equal(["preview Retry"], app.Operations.Done.Select(static done => done.Action));
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Retry 19 entries" }).ClickAsync();
        await Expect(page.Locator(".toasts")).ToContainTextAsync("started");
        Assert.Equal("start operation 7", app.Operations.Done[^1].Action);
    }
}
