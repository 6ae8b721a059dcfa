using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>What the pages of jobs show, and what they answer if a job can't be planned.</summary>
public sealed class JobPageTests
{
    [Theory]
    [InlineData(true, "Mars/Base")]
    [InlineData(false, "tzdata")]
    public async Task A_job_that_can_not_be_planned_here_is_not_resumed_and_the_page_says_why(bool isUnknown, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.ResumeFailure = isUnknown
            ? new TimeZoneNotFoundException("The time zone 'Mars/Base' is not known on this machine.")
            : new InvalidTimeZoneException("/usr/share/zoneinfo is damaged");

        using var response = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/resume"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.DoesNotContain("/usr/share", page, StringComparison.Ordinal);
    }
}
