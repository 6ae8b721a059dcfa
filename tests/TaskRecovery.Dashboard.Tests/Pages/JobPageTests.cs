using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>What the pages of jobs show, and what they answer if a job can't be planned.</summary>
public sealed class JobPageTests
{
    [Fact]
    public async Task A_job_that_can_not_be_planned_here_is_not_resumed_and_the_page_says_why()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.ResumeFailure = new JobUnplannableException(
            "monthly-report", "The time zone 'Mars/Base' is not known.", new InvalidTimeZoneException("/usr/share/zoneinfo is damaged"));

        using var response = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/resume"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("Mars/Base", page, StringComparison.Ordinal);
        Assert.DoesNotContain("/usr/share", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_has_ended_is_not_called_paused()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.Result = OperatorResult.AlreadyEnded;

        using var response = await app.Client.SendAsync(
            Requests.Post($"jobs/jobs/{Shop.ReportJob}/pause"), TestContext.Current.CancellationToken);
        using var request = Requests.Get($"jobs/jobs/{Shop.ReportJob}?did=job-ended", site: "same-origin");
        using var note = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.EndsWith($"jobs/{Shop.ReportJob}?did=job-ended", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Contains(
            "The job was not paused: it has ended.", await note.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
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

    [Fact]
    public async Task A_job_is_shown_with_all_of_its_rules_and_its_next_runs()
    {
        var page = await ShowAsync(static (job, now) => job with
        {
            Schedule = Schedule.Cron("30 6 * * *"),
            NextRunAt = new DateTimeOffset(2026, 12, 1, 6, 30, 0, TimeSpan.Zero),
            StartAt = now.AddDays(-9),
            MissedRuns = MissedRunPolicy.RunAll,
            CatchUpLimit = 1,
            CatchUpWithin = TimeSpan.FromHours(2),
            ExpiresAfter = TimeSpan.FromMinutes(10),
            Timeout = TimeSpan.FromMinutes(3),
        });

        Assert.Contains("every day at 06:30 (UTC)", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"mono\">30 6 * * *</span>", page, StringComparison.Ordinal);
        Assert.Contains("are made up for up to 2 h after they were due, 1 of them at most", page, StringComparison.Ordinal);
        Assert.Contains("if it has not started 10 min after it was due", page, StringComparison.Ordinal);
        Assert.Contains("3 min an attempt", page, StringComparison.Ordinal);
        Assert.Contains("<dt>From</dt>", page, StringComparison.Ordinal);
        Assert.All(
            (string[])["2026-12-01T06:30", "2026-12-02T06:30", "2026-12-03T06:30", "2026-12-04T06:30", "2026-12-05T06:30"],
            run => Assert.Contains($"datetime=\"{run}", page, StringComparison.Ordinal));
        Assert.DoesNotContain("2026-12-06T06:30", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_can_not_be_planned_here_is_shown_all_the_same()
    {
        var page = await ShowAsync(static (job, _) => job, new JobUnplannableException("monthly-report", "the cron text can't be read"));

        Assert.Contains("compute the times of this schedule", page, StringComparison.Ordinal);
        Assert.Contains("monthly-report", page, StringComparison.Ordinal);
    }

    private static async Task<string> ShowAsync(Func<Job, DateTimeOffset, Job> change, Exception? failure = null)
    {
        var system = Shop.Open();
        var at = system.Jobs.FindIndex(static job => job.Id == Shop.ReportJob);
        system.Jobs[at] = change(system.Jobs[at], system.Now);
        await using var app = await DashboardApp.StartAsync(system);
        app.Jobs.PlanFailure = failure;
        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/jobs/{Shop.ReportJob}"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
