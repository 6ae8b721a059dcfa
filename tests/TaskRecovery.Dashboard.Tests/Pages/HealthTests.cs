using System.Text.RegularExpressions;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The overview says in sentences what needs a person, with a link to where it is.</summary>
public sealed partial class HealthTests
{
    [Fact]
    public async Task What_is_paused_is_named_with_who_and_why()
    {
        var system = Calm();
        var by = new PauseInfo { Actor = "ada", Reason = "disk full" };
        system.Snapshot = system.Snapshot with { Queues = [system.Snapshot.Queues[0] with { Pause = by, OldestDue = null }] };
        system.Kinds.Add(new KindSummary { Name = "thumbnail", Waiting = new Count(0), Nodes = 1, Pause = by });
        system.Jobs.Add(Report(system) with
        {
            State = JobState.Paused,
            Pause = new PauseInfo { Since = system.Now.AddMinutes(-3), Actor = "grace", Reason = "ledger is closed" },
        });

        var health = await ReadAsync(system);

        Assert.All(
            (string[])
            [
                "The queue <a href=\"./queues\"><bdi>default</bdi></a> is paused by ada: “disk full”.",
                "The kind <a href=\"./kinds\"><bdi>thumbnail</bdi></a> is paused by ada: “disk full”.",
                $"The job <a href=\"./jobs/{Shop.ReportJob}\"><bdi>monthly-report</bdi></a> is paused by grace",
                "“ledger is closed”.",
            ],
            sentence => Assert.Contains(sentence, health, StringComparison.Ordinal));
        Assert.DoesNotContain("All is well", health, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_named_is_counted_with_a_link()
    {
        var system = Calm();
        var by = new PauseInfo { Actor = "ada" };
        system.Kinds.AddRange(Enumerable.Range(0, 5).Select(
            number => new KindSummary { Name = $"kind-{number}", Waiting = new Count(0), Nodes = 1, Pause = by }));
        system.Jobs.AddRange(Enumerable.Range(0, 4).Select(
            number => Report(system) with { Id = Guid.CreateVersion7(), Name = $"job-{number}", State = JobState.Paused }));

        var health = await ReadAsync(system);

        Assert.Contains("And <a href=\"./kinds\">2 more paused kinds</a>.", health, StringComparison.Ordinal);
        Assert.Contains("And <a href=\"./jobs\">1 more paused job</a>.", health, StringComparison.Ordinal);
        Assert.DoesNotContain("kind-3", health, StringComparison.Ordinal);
        Assert.DoesNotContain("job-3", health, StringComparison.Ordinal);
        Assert.DoesNotContain("more paused queue", health, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(JobState.Active, true)]
    [InlineData(JobState.Ended, false)]
    public async Task A_job_that_no_application_declares_any_more_is_named_unless_it_has_ended(JobState state, bool expected)
    {
        var system = Calm();
        system.Jobs.Add(Report(system) with { State = state, OrphanedAt = system.Now.AddDays(-1) });

        var health = await ReadAsync(system);

        Assert.Equal(expected, health.Contains(
            $"<a href=\"./jobs/{Shop.ReportJob}\"><bdi>monthly-report</bdi></a> is orphaned: <bdi>shop</bdi> has not declared it since",
            StringComparison.Ordinal));
        Assert.Equal(!expected, health.Contains("All is well", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_job_that_does_not_run_is_named_unless_an_earlier_run_is_unfinished()
    {
        var system = Calm();
        var late = system.Now.AddHours(-2);
        var busy = Report(system) with { Id = Guid.CreateVersion7(), Name = "busy", NextRunAt = late };
        system.Jobs.AddRange(
        [
            Report(system) with { NextRunAt = late },
            busy,
            Report(system) with { Id = Guid.CreateVersion7(), Name = "mars" },
            Report(system) with { Id = Guid.CreateVersion7(), Name = "soon", NextRunAt = system.Now.AddMinutes(-4) },
        ]);
        system.Tasks.Add(new TaskRecord
        {
            Id = Guid.CreateVersion7(),
            JobId = busy.Id,
            State = TaskState.Running,
            Attempt = 1,
            CreatedAt = late,
        });

        var health = await ReadAsync(system);

        Assert.Contains("<bdi>monthly-report</bdi></a> has been due for 2 h", health, StringComparison.Ordinal);
        Assert.Contains("and its run does not start.", health, StringComparison.Ordinal);
        Assert.Contains("<bdi>mars</bdi></a> is active, and no run of it is planned.", health, StringComparison.Ordinal);
        Assert.DoesNotContain("<bdi>busy</bdi>", health, StringComparison.Ordinal);
        Assert.DoesNotContain("<bdi>soon</bdi>", health, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    [InlineData(false, false, "waits in a queue that is behind")]
    public async Task A_job_behind_a_pause_or_a_backlog_is_not_said_to_be_without_a_node(bool queue, bool kind, string? expected)
    {
        var system = Calm();
        var (wait, pause) = (TimeSpan.FromHours(2), new PauseInfo { Actor = "ada" });
        system.Snapshot = system.Snapshot with
        {
            Queues = [system.Snapshot.Queues[0] with { OldestDue = wait, Pause = queue ? pause : null }],
        };
        system.Kinds.Add(new KindSummary
        {
            Name = "task:report.monthly",
            Waiting = new Count(1),
            Nodes = 1,
            OldestDue = wait,
            Pause = kind ? pause : null,
        });
        system.Jobs.Add(Report(system) with { NextRunAt = system.Now - wait });

        var health = await ReadAsync(system);

        Assert.DoesNotContain("its run does not start", health, StringComparison.Ordinal);
        Assert.Equal(expected is not null, health.Contains("<bdi>monthly-report</bdi></a> has been due for 2 h", StringComparison.Ordinal));
        Assert.Contains(expected ?? "is paused", health, StringComparison.Ordinal);
    }

    // A shop with one node in which nothing needs a person.
    private static FakeSystem Calm()
    {
        var (system, open) = (Shop.Empty(), Shop.Open());
        system.Snapshot = system.Snapshot with { Queues = [open.Snapshot.Queues[0] with { OldestDue = null }] };
        system.Nodes.Add(open.Nodes[0]);
        return system;
    }

    private static Job Report(FakeSystem system) => new()
    {
        Id = Shop.ReportJob,
        Name = "monthly-report",
        Kind = "report.monthly",
        Args = "{}",
        Schedule = Schedule.Every(TimeSpan.FromDays(1)),
        State = JobState.Active,
        Queue = "default",
        DeclaredBy = "shop",
        CreatedAt = system.Now,
        UpdatedAt = system.Now,
    };

    private static async Task<string> ReadAsync(FakeSystem system)
    {
        await using var app = await DashboardApp.StartAsync(system);
        using var response = await app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);
        return Health().Match(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Value;
    }

    [GeneratedRegex("<ul class=\"health\".*?</ul>", RegexOptions.Singleline)]
    private static partial Regex Health();
}
