using System.Text.RegularExpressions;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>An open page stays current, keeps what its reader has done to it, and says so when it can't.</summary>
public sealed class LiveTests(Chromium chromium)
{
    [Fact]
    public async Task A_change_is_shown_and_focus_and_folds_stay()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/");
        await visitor.Page.Locator("summary", new PageLocatorOptions { HasText = "Numbers of the chart" }).ClickAsync();

        app.System.Snapshot = app.System.Snapshot with { Failed = new Count(7_777) };
        app.Time.Advance(TimeSpan.FromSeconds(3));

        await Expect(visitor.Page.Locator(".tiles .value.bad")).ToHaveTextAsync("7,777");
        Assert.True(await visitor.Page.Locator(
            "details", new PageLocatorOptions { HasText = "Numbers of the chart" }).EvaluateAsync<bool>("one => one.open"));
        Assert.Equal("SUMMARY", await visitor.Page.EvaluateAsync<string>("document.activeElement.tagName"));
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task A_button_does_what_it_says_after_an_update()
    {
        var system = Shop.Open();
        var failed = system.Lives.Where(static life => life.Entry.State is EntryState.Failed or EntryState.Cancelled).ToList();
        system.Lives.RemoveAll(static life => life.Entry.State != EntryState.Waiting);
        await using var app = await DashboardApp.StartAsync(system, AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/entries");
        var buttons = visitor.Page.Locator("form.bulk button");
        await Expect(buttons).ToHaveTextAsync((string[])["Cancel", "Cancel all …"]);
        await buttons.Nth(1).FocusAsync();

        system.Lives = [.. system.Lives, .. failed];
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await visitor.PollAsync();

        await Expect(buttons).ToHaveTextAsync((string[])["Retry", "Cancel", "Retry all …", "Cancel all …"]);
        Assert.Equal(
            ["retry", "cancel", "retry-all", "cancel-all"],
            await buttons.EvaluateAllAsync<string[]>("all => all.map(button => button.value)"));
        Assert.Equal("cancel-all", await visitor.Page.EvaluateAsync<string>("document.activeElement.value"));

        var action = visitor.Page.Locator(".top form button[data-act]");
        await visitor.Page.GotoAsync($"jobs/entries/{Shop.WaitingEntry}");
        await action.FocusAsync();
        var at = system.Lives.FindIndex(static life => life.Entry.Id == Shop.WaitingEntry);
        var entry = system.Lives[at].Entry with { State = EntryState.Failed, EndedAt = system.Now };
        system.Lives = [.. system.Lives.Take(at), system.Lives[at] with { Entry = entry }, .. system.Lives.Skip(at + 1)];
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await visitor.PollAsync();

        await Expect(action).ToHaveTextAsync("Retry");
        Assert.Equal("BODY", await visitor.Page.EvaluateAsync<string>("document.activeElement.tagName"));
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task A_selection_and_half_typed_text_stay()
    {
        var system = Shop.Open();
        await using var app = await DashboardApp.StartAsync(system, AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/entries?state=failed");
        var entry = visitor.Page.Locator($"#e{Shop.FailedEntry}");
        await entry.Locator("td.pick input").CheckAsync();
        await visitor.Page.Locator("#find").FillAsync("half a na");

        // A newer entry moves the selected one down.
        var newest = system.Lives.First(static life => life.Entry.Id == Shop.FailedEntry);
        system.Lives = [newest with { Entry = newest.Entry with { Id = 9_999 } }, .. system.Lives];
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await visitor.PollAsync();

        await Expect(visitor.Page.Locator("tbody tr").First).ToContainTextAsync("9999");
        await Expect(entry.Locator("td.pick input")).ToBeCheckedAsync();
        await Expect(visitor.Page.Locator("td.pick input:checked")).ToHaveCountAsync(1);
        await Expect(visitor.Page.Locator("#find")).ToHaveValueAsync("half a na");
        await Expect(visitor.Page.Locator("[data-chosen]")).ToHaveTextAsync("1 selected");
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task A_page_that_nobody_sees_asks_for_nothing()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/");

        // An event that lets a visible page ask calls fetch before it returns. Once the page has been hidden, no new request starts.
        await visitor.Page.EvaluateAsync(
            """
            () => {
                window.hide = true;
                window.asked = 0;
                Object.defineProperty(document, "hidden", { get: () => window.hide });
                const original = window.fetch;
                window.fetch = (...given) => { document.body.dataset.asked = ++window.asked; return original(...given); };
            }
            """);
        await visitor.PollAsync();
        Assert.Equal(0, await visitor.Page.EvaluateAsync<int>("window.asked"));

        await visitor.Page.EvaluateAsync("window.hide = false");
        await visitor.PollAsync();
        await Expect(visitor.Page.Locator("body")).ToHaveAttributeAsync("data-asked", new Regex("^[1-9]"));
        Assert.Equal([], visitor.Complaints);
    }

    [Fact]
    public async Task A_page_that_gets_no_news_says_since_when()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/");
        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");

        app.Monitor.Fail(new StoreUnavailableException("gone"));
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await visitor.PollAsync();
        await Expect(visitor.Page.Locator(".live")).ToContainTextAsync("stale since 14:32");

        app.Monitor.Fail(null);
        await visitor.PollAsync();
        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");
    }

    [Fact]
    public async Task A_page_whose_login_has_ended_says_so_and_asks_no_more()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasCookieLogin = true });
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("login");
        await visitor.Page.GotoAsync("jobs/");
        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");

        // The handler of the cookie answers with a redirect to the page where the user signs in.
        await visitor.Page.Context.ClearCookiesAsync();
        await visitor.PollAsync();

        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("signed out: reload the page");
        await visitor.Page.EvaluateAsync("() => { window.asked = 0; window.fetch = () => { window.asked++; return Promise.reject(); }; }");
        await visitor.PollAsync();
        Assert.Equal(0, await visitor.Page.EvaluateAsync<int>("window.asked"));
    }

    [Fact]
    public async Task An_open_page_does_not_delay_a_stop_and_survives_a_restart()
    {
        // A port of its own, which no outgoing connection takes while nobody listens.
        var setup = AppSetup.ForBrowsers with { Port = LoopbackPort.FindFree(), ShutdownTimeout = TimeSpan.FromMinutes(10) };
        var first = await DashboardApp.StartAsync(Shop.Open(), setup);
        await using var visitor = await Visitor.ComeAsync(chromium, first.Address);
        await visitor.Page.GotoAsync("jobs/");
        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");

        var stop = await first.StopAsync();
        await visitor.PollAsync();
        await Expect(visitor.Page.Locator(".live")).ToContainTextAsync("stale since");
        await using var second = await DashboardApp.StartAsync(Shop.Open(), setup);
        await visitor.PollAsync();

        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");

        // A host that waited for the open page would wait for its shutdown timeout.
        Assert.InRange(stop, TimeSpan.Zero, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_page_that_two_versions_answer_in_turn_is_loaded_again_once()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var (loads, script) = (0, new Assets().Script.Name);
        await visitor.Page.RouteAsync("**/jobs/", async route =>
        {
            if (route.Request.IsNavigationRequest)
            {
                Interlocked.Increment(ref loads);
                await route.ContinueAsync();
                return;
            }

            // Whatever loads the page, the other version answers when the page asks for news.
            var response = await route.FetchAsync();
            var page = (await response.TextAsync()).Replace(script, "dashboard.000000000000.js", StringComparison.Ordinal);
            await route.FulfillAsync(new RouteFulfillOptions { Response = response, Body = page });
        });
        await visitor.Page.GotoAsync("jobs/");

        foreach (var (failed, shown) in ((int, string)[])[(7_777, "7,777"), (8_888, "8,888"), (9_999, "9,999")])
        {
            app.System.Snapshot = app.System.Snapshot with { Failed = new Count(failed) };
            app.Time.Advance(TimeSpan.FromSeconds(3));
            await Expect(visitor.Page.Locator(".tiles .value.bad")).ToHaveTextAsync(shown);
        }

        Assert.Equal(2, loads);
    }

    [Fact]
    public async Task A_page_that_the_old_version_answered_in_a_roll_out_gets_the_new_one_after_it()
    {
        const string next = "dashboard.000000000000.js";
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        var (loads, isOver, script) = (0, false, new Assets().Script.Name);
        await visitor.Page.RouteAsync("**/jobs/queues", async route =>
        {
            if (route.Request.IsNavigationRequest)
            {
                Interlocked.Increment(ref loads);
                if (!Volatile.Read(ref isOver))
                {
                    await route.ContinueAsync();
                    return;
                }
            }

            var response = await route.FetchAsync();
            var page = (await response.TextAsync()).Replace(script, next, StringComparison.Ordinal);
            await route.FulfillAsync(new RouteFulfillOptions { Response = response, Body = page });
        });
        await visitor.Page.GotoAsync("jobs/queues");

        // The old version answers the load that the first poll leads to.
        await visitor.Page.WaitForFunctionAsync("() => Object.keys(sessionStorage).some(key => key.endsWith('000000000000.js'))");
        await Expect(visitor.Page.Locator(".live")).ToHaveTextAsync("live");
        var pause = visitor.Page.Locator("details.pause").First;
        await pause.Locator("summary").ClickAsync();
        Volatile.Write(ref isOver, true);
        await visitor.Page.EvaluateAsync("() => { for (const key of Object.keys(sessionStorage)) { sessionStorage[key] -= 61000; } }");
        var before = Volatile.Read(ref loads);
        app.System.Snapshot = app.System.Snapshot with
        {
            Queues = [app.System.Snapshot.Queues[0] with { Later = new Count(7_777) }, .. app.System.Snapshot.Queues.Skip(1)],
        };
        app.Time.Advance(TimeSpan.FromSeconds(3));
        await Expect(visitor.Page.Locator("main")).ToContainTextAsync("7,777");
        var whileOpen = Volatile.Read(ref loads);
        await pause.Locator("summary").ClickAsync();

        await Expect(visitor.Page.Locator("script").First).ToHaveAttributeAsync("src", new Regex("000000000000"));
        Assert.Equal((2, 2), (before, whileOpen));
    }

    [Fact]
    public async Task The_theme_is_switched_and_kept()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);
        await visitor.Page.GotoAsync("jobs/");
        var theme = visitor.Page.Locator(".theme");

        await theme.ClickAsync();
        await theme.ClickAsync();
        await visitor.Page.GotoAsync("jobs/queues");

        await Expect(theme).ToHaveTextAsync("Theme: dark");
        await Expect(visitor.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
    }

    [Fact]
    public async Task Times_are_relative_to_the_clock_of_the_server()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address);

        await visitor.Page.GotoAsync("jobs/events");

        await Expect(visitor.Page.Locator("#v7 time")).ToHaveTextAsync("8 min ago");
    }
}
