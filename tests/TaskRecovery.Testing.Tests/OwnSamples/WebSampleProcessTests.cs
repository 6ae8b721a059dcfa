using System.Net;

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
    public async Task Every_page_has_something_to_show_within_a_minute()
    {
        await ContainsAsync("jobs/", "All events");
        await ContainsAsync("jobs/operations", "wrong prices");
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send");
        await ContainsAsync("jobs/entries?state=failed", "order.confirm");
        await ContainsAsync("jobs/entries?state=completed", "mail.send");
        await ContainsAsync("jobs/queues", "the template is not approved yet");
        await ContainsAsync("jobs/kinds", "no living node");
        await ContainsAsync("jobs/jobs", "nightly-stock-sync");
        await ContainsAsync("jobs/tasks", "stock-sync");
        await ContainsAsync("jobs/nodes", "shop");
        await ContainsAsync("jobs/events", "was paused");
        await ContainsAsync("jobs/api/snapshot", "newsletter");

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
}
