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
    public async Task Every_page_has_something_to_show_soon_after_the_start()
    {
        await ContainsAsync("", "A small shop");
        using var patience = BeginPatience();

        using var pressed = await PostAsync("report", $"http://localhost:{Port}");
        await ShowARunningReportAsync(patience);
        await ShowListsAsync(patience);
        await ShowDetailsAsync(patience);

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
    private async Task ShowARunningReportAsync(CancellationTokenSource patience)
    {
        var running = await AskAsync("entries?state=running&queue=reports", First("entries"), patience);
        await ContainsAsync($"jobs/entries/{running}", "Adding up orders, page", patience);
        await ContainsAsync($"jobs/entries/{running}", "beginning after page", patience);
    }

    private async Task ShowListsAsync(CancellationTokenSource patience)
    {
        await ContainsAsync("jobs/", "All events", patience);
        await ContainsAsync("jobs/operations", "wrong prices", patience);
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send", patience);
        await ContainsAsync("jobs/entries?state=failed", "order.confirm", patience);
        await ContainsAsync("jobs/entries?state=completed", "mail.send", patience);
        await ContainsAsync("jobs/queues", "the template is not approved yet", patience);
        await ContainsAsync("jobs/kinds", "no living node", patience);
        await ContainsAsync("jobs/jobs", "nightly-stock-sync", patience);
        await ContainsAsync("jobs/tasks", "stock-sync", patience);
        await ContainsAsync("jobs/nodes", "shop", patience);
        await ContainsAsync("jobs/events", "was paused", patience);
        await ContainsAsync("jobs/api/snapshot", "newsletter", patience);
        await ContainsAsync("jobs/search?q=stock", "nightly-stock-sync", patience);
    }

    private async Task ShowDetailsAsync(CancellationTokenSource patience)
    {
        var order = await AskAsync("entries?state=completed&kind=order.confirm", First("entries"), patience);
        var job = await AskAsync("jobs?limit=1", First("jobs"), patience);
        var operation = await AskAsync("operations?limit=1", First("operations"), patience);

        await ContainsAsync($"jobs/entries/{order}", "reserve-stock", patience);
        await ContainsAsync($"jobs/jobs/{job}", "warehouse-2", patience);
        await ContainsAsync($"jobs/operations/{operation}", "wrong prices", patience);
    }

    // The id of the first of a list; null if the list is empty or the answer is an error.
    private static Func<JsonElement, string?> First(string list)
        => answer => answer.TryGetProperty(list, out var items) && items.GetArrayLength() > 0
            ? items[0].GetProperty("id").ToString()
            : null;
}
