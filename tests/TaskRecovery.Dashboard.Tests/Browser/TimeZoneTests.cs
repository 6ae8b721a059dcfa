using System.Globalization;
using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>Times and days as a viewer west of Greenwich sees them.</summary>
public sealed class TimeZoneTests(Chromium chromium)
{
    private const string NewYork = "America/New_York";

    [Fact]
    public async Task A_day_of_the_chart_is_the_day_in_utc_whose_counts_it_shows()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, timeZone: NewYork);
        var page = visitor.Page;

        await page.GotoAsync("jobs/?range=90d");
        await page.Locator("summary", new PageLocatorOptions { HasText = "Numbers of the chart" }).ClickAsync();

        await Expect(page.Locator("details tbody th time").First).ToHaveTextAsync("29 Nov");
        await Expect(page.Locator("figure .key")).ToContainTextAsync("days in UTC");
        var ticks = await page.Locator(".axis text").EvaluateAllAsync<string[]>(
            "all => all.map(one => `${one.dataset.at}|${one.textContent}`)");
        Assert.NotEmpty(ticks);
        Assert.All(ticks, static tick => Assert.Equal(DayOf(tick.Split('|')[0]), tick.Split('|')[1]));
        Assert.Equal([], visitor.Complaints);
    }

    [Theory]
    [InlineData(NewYork, true, "1 Mar 2025 07:00:00")]
    [InlineData("UTC", true, "1 Mar 2025 12:00:00")]
    [InlineData(NewYork, false, "2025-03-01 12:00:00")]
    public async Task A_time_of_another_year_has_the_year(string timeZone, bool script, string expected)
    {
        var system = Shop.Open();
        var job = system.Jobs[3];
        var at = system.Tasks.FindIndex(task => task.JobId == job.Id);
        system.Tasks[at] = system.Tasks[at] with { DueAt = new DateTimeOffset(2025, 3, 1, 12, 0, 0, TimeSpan.Zero) };
        await using var app = await DashboardApp.StartAsync(system, AppSetup.ForBrowsers);
        await using var visitor = await Visitor.ComeAsync(chromium, app.Address, script: script, timeZone: timeZone);

        await visitor.Page.GotoAsync($"jobs/jobs/{job.Id}");

        await Expect(visitor.Page.Locator("time[datetime^='2025-03-01']")).ToHaveTextAsync(expected);
        Assert.Equal([], visitor.Complaints);
    }

    private static string DayOf(string time)
        => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).UtcDateTime.ToString("d MMM", CultureInfo.InvariantCulture);
}
