using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>Pages stay small and reachable when there is far too much of everything.</summary>
public sealed class LargeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_of_an_entry_with_thousands_of_runs_and_steps_is_bounded()
    {
        var system = Shop.Open();
        var at = system.Lives.FindIndex(static life => life.Entry.Id == Shop.FailedEntry);
        var run = system.Lives[at].Runs[0];
        system.Lives[at] = system.Lives[at] with
        {
            Runs = [.. Enumerable.Range(0, 10_000).Select(number => run with
            {
                Fence = number, StartedAt = run.StartedAt?.AddSeconds(number), EndedAt = run.EndedAt.AddSeconds(number),
                Error = $"<{number}> " + new string('"', 4_000),
            })],
            Steps = [.. Enumerable.Range(0, 10_000).Select(number => new EntryStep($"step-{number}", run.EndedAt, number, 10))],
        };
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.FailedEntry}?step=9999", roles: "data"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(page.Length, 1, 1_000_000);
        Assert.Contains("9,500 older runs not shown", page, StringComparison.Ordinal);
        Assert.Contains("9,500 older steps not shown", page, StringComparison.Ordinal);
        Assert.Contains("&lt;9999&gt;", page, StringComparison.Ordinal);
        Assert.Contains("<h3><bdi>step-9998</bdi></h3>", page, StringComparison.Ordinal);
    }

    /// <summary>It is drawn every two seconds.</summary>
    [Theory]
    [InlineData(5_000, false, false)]
    [InlineData(100_000, false, true)]
    [InlineData(100_000, true, false)]
    public async Task The_overview_counts_only_the_newest_failures_and_says_so(int failed, bool newestAreCancelled, bool saysSo)
    {
        var system = Shop.Open();
        (system.FailedInAll, system.NewestAreCancelled) = (failed, newestAreCancelled);
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(Requests.Get("jobs/", roles: "view"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("payment.capture", page, StringComparison.Ordinal);
        Assert.Equal(saysSo, page.Contains("Only the newest were counted, back to ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("jobs/", "Counting the entries takes too long")]
    [InlineData("jobs/entries?state=failed", "payment.capture")]
    [InlineData("jobs/operations/6", "operations/6/stop")]
    [InlineData("jobs/kinds", "mail.send")]
    [InlineData("jobs/search?q=mail", "mail.send")]
    [InlineData("jobs/about", "This dashboard")]
    public async Task A_snapshot_that_takes_too_long_takes_no_page_with_it(string path, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Monitor.Fail(new TimeoutException(), "snapshot");

        using var response = await app.Client.SendAsync(Requests.Get(path, roles: "data,ops"), Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }
}
