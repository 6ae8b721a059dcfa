using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The trace of an entry is a link only to an address that is safe to follow, and never costs the page.</summary>
public sealed class TraceLinkTests
{
    private const string Shown = "4bf92f3577b34da6…";

    [Fact]
    public async Task A_trace_without_an_address_is_shown_without_a_link_and_logged_once()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Configure = static options => options.TraceUrl = static _ => throw new InvalidOperationException("no tracing"),
        });

        for (var time = 0; time < 2; time++)
        {
            using var response = await app.Client.SendAsync(
                Requests.Get($"jobs/entries/{Shop.CrashedEntry}"), TestContext.Current.CancellationToken);
            var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains($"<span class=\"id\">{Shown}</span>", page, StringComparison.Ordinal);
        }

        Assert.Single(app.Log.Lines, static line => line.StartsWith("6009", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://traces.example.org/1", true)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData(null, false)]
    public async Task Only_an_address_of_the_web_is_a_link(string? url, bool isLink)
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Open(), new AppSetup { Configure = options => options.TraceUrl = _ => url });

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.CrashedEntry}"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains(Shown, page, StringComparison.Ordinal);
        Assert.Equal(isLink, page.Contains($"href=\"{url}\"", StringComparison.Ordinal));
    }
}
