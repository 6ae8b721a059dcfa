using System.Net;
using System.Text.Json;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The web sample as it is started without options: with a SQLite file.</summary>
public sealed class WebSampleProcessTests : WebSampleProcess
{
    public override ValueTask InitializeAsync()
    {
        Start([]);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_page_has_something_to_show_within_a_minute_of_the_start()
    {
        await ContainsAsync("", "A small shop");
        using var minute = BeginMinute();

        using var pressed = await PostAsync("report", $"http://localhost:{Port}");
        await ShowARunningReportAsync(minute);
        await ShowListsAsync(minute);
        await ShowDetailsAsync(minute);

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Data));
        }
    }

    [Fact]
    public async Task The_button_kills_the_shop_which_is_started_again_and_only_its_own_page_may_press_it()
    {
        await ContainsAsync("", "A small shop");

        using var foreign = await PostAsync("crash", "https://evil.example");
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "");
        rebound.Headers.Host = $"evil.example:{Port}";
        using var unnamed = await Client.SendAsync(rebound, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        Assert.DoesNotContain(Sample.Lines, static line => line.Contains("Starting it again", StringComparison.Ordinal));

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("crash", $"http://localhost:{Port}"));
        await Sample.WaitForLineAsync("The shop (process");
        await ContainsAsync("", "A small shop");
        await ContainsAsync("jobs/events", "was declared dead");
    }

    // First, because it ends after a while.
    private async Task ShowARunningReportAsync(CancellationTokenSource minute)
    {
        var running = await AskAsync("entries?state=running&queue=reports", First("entries"), minute);
        await ContainsAsync($"jobs/entries/{running}", "Adding up orders, page", minute);
        await ContainsAsync($"jobs/entries/{running}", "beginning after page", minute);
    }

    private async Task ShowListsAsync(CancellationTokenSource minute)
    {
        await ContainsAsync("jobs/", "All events", minute);
        await ContainsAsync("jobs/operations", "wrong prices", minute);
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send", minute);
        await ContainsAsync("jobs/entries?state=failed", "order.confirm", minute);
        await ContainsAsync("jobs/entries?state=completed", "mail.send", minute);
        await ContainsAsync("jobs/queues", "the template is not approved yet", minute);
        await ContainsAsync("jobs/kinds", "no living node", minute);
        await ContainsAsync("jobs/jobs", "nightly-stock-sync", minute);
        await ContainsAsync("jobs/tasks", "stock-sync", minute);
        await ContainsAsync("jobs/nodes", "shop", minute);
        await ContainsAsync("jobs/events", "was paused", minute);
        await ContainsAsync("jobs/api/snapshot", "newsletter", minute);
        await ContainsAsync("jobs/search?q=stock", "nightly-stock-sync", minute);
    }

    private async Task ShowDetailsAsync(CancellationTokenSource minute)
    {
        var order = await AskAsync("entries?state=completed&kind=order.confirm", First("entries"), minute);
        var job = await AskAsync("jobs?limit=1", First("jobs"), minute);
        var operation = await AskAsync("operations?limit=1", First("operations"), minute);

        await ContainsAsync($"jobs/entries/{order}", "reserve-stock", minute);
        await ContainsAsync($"jobs/jobs/{job}", "warehouse-2", minute);
        await ContainsAsync($"jobs/operations/{operation}", "wrong prices", minute);
    }

    // The id of the first of a list; null if the list is empty or the answer is an error.
    private static Func<JsonElement, string?> First(string list)
        => answer => answer.TryGetProperty(list, out var items) && items.GetArrayLength() > 0
            ? items[0].GetProperty("id").ToString()
            : null;
}
