using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>What the overview reads, and when.</summary>
public sealed class OverviewPageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("nodes")]
    [InlineData("group")]
    public async Task No_read_waits_for_another_one(string slow)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var blocked = app.Monitor.Block(slow);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);

        var answer = app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!HasAsked(app, "nodes", "kinds", "jobs", "group", "throughput", "events"))
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }

        blocked.SetResult();
        using var response = await answer;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static bool HasAsked(DashboardApp app, params string[] questions)
    {
        lock (app.System.Asked)
        {
            return questions.All(app.System.Asked.Contains);
        }
    }
}
