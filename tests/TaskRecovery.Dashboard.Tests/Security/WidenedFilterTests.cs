using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>A condition that can't be used never disappears: an action on "all that match" would then change more than was shown.</summary>
public sealed class WidenedFilterTests
{
    [Fact]
    public async Task A_long_filter_reaches_the_operation_whole()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var text = new string('名', 400);

        using var response = await app.Client.SendAsync(
            Requests.Post(
                "jobs/operations/prepare", roles: "data,ops",
                fields: [("do", "retry-all"), ("filter", $"state=failed&text={Uri.EscapeDataString(text)}")]),
            TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal(text, app.Operations.Prepared!.Query!.Text);
    }

    [Theory]
    [InlineData("text", 1_001)]
    [InlineData("kind", 1_001)]
    public async Task A_condition_that_is_too_long_prepares_nothing(string condition, int length)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post(
                "jobs/operations/prepare", roles: "data,ops",
                fields: [("do", "cancel-all"), ("filter", $"state=waiting&{condition}={new string('x', length)}")]),
            TestContext.Current.CancellationToken);
        using var page = await app.Client.SendAsync(
            Requests.Get($"jobs/entries?{condition}={new string('x', length)}", roles: "data"), TestContext.Current.CancellationToken);
        var shown = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Null(app.Operations.Prepared);
        Assert.Contains($"The condition &#39;{condition}&#39; has 1,001 characters. Use at most 1,000.", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("20160")]
    [InlineData("soon")]
    public async Task A_pause_with_an_end_that_can_t_be_read_is_refused(string minutes)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/queues/pause", fields: [("name", "mail"), ("minutes", minutes)]), TestContext.Current.CancellationToken);

        Assert.Contains("bad-minutes", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.DoesNotContain(app.Operations.Done, static done => done.Action.StartsWith("pause", StringComparison.Ordinal));
    }
}
