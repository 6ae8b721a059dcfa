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

    [Theory]
    [InlineData("jobs/jobs", "<span class=\"tag warn\">orphaned</span>")]
    [InlineData("jobs/jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11", "<span class=\"tag warn\">orphaned</span>")]
    [InlineData("jobs/jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11", "shop</bdi>, no longer since ")]
    [InlineData("jobs/api/jobs", "\"orphanedAt\":\"2026-11-28T")]
    public async Task A_job_that_its_application_no_longer_declares_is_shown_as_orphaned(string path, string expected)
    {
        var system = Shop.Open();
        var at = system.Jobs.FindIndex(static job => job.Id == Shop.ReportJob);
        await using var declared = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        system.Jobs[at] = system.Jobs[at] with { OrphanedAt = system.Now.AddDays(-1) };
        await using var app = await DashboardApp.StartAsync(system, new AppSetup { HasApi = true });

        using var before = await declared.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);
        using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

        Assert.DoesNotContain(
            expected, await before.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains(
            expected, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
