using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class JobPlanningTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly JobTiming Hourly = new()
    {
        Name = "job",
        State = JobState.Active,
        Schedule = Schedule.Every(TimeSpan.FromMinutes(60)),
        NextRunAt = At(30),
        IsPlanned = true,
    };

    private static readonly JobTiming Once = Hourly with { Schedule = Schedule.Once(At(30)) };

    private static readonly JobTiming Over = Hourly with
    {
        Schedule = Schedule.Once(At(-30)),
        State = JobState.Ended,
        NextRunAt = null,
        IsPlanned = false,
    };

    private static readonly JobTiming Nightly = Hourly with { Schedule = Schedule.Cron("0 2 * * *"), NextRunAt = At(16 * 60) };

    private static readonly ScheduleExceptions Christmas = ScheduleExceptions.Dates(new DateOnly(2026, 12, 25));

    // Its run has been due for five minutes and has not started.
    private static readonly JobTiming Late = Hourly with { Schedule = Schedule.Cron("55 9 * * *"), NextRunAt = At(-5), EndAt = At(90_000) };

    /// <summary>What is stored, what the definition wants, whether the entry's columns change, and the new due time in minutes from now;
    /// null if the plan stays.</summary>
    public static TheoryData<string, JobTiming, JobTiming, bool, double?> Changes { get; } = new()
    {
        { "nothing", Hourly, Hourly, false, null },
        { "another queue", Hourly, Hourly, true, 30 },
        { "another queue, nothing planned", Hourly with { IsPlanned = false }, Hourly, true, null },
        { "a shorter interval", Hourly, Hourly with { Schedule = Schedule.Every(TimeSpan.FromMinutes(10)) }, false, 10 },
        { "a longer interval", Hourly, Hourly with { Schedule = Schedule.Every(TimeSpan.FromMinutes(90)) }, false, null },
        { "a longer interval and another queue", Hourly, Hourly with { Schedule = Schedule.Every(TimeSpan.FromMinutes(90)) }, true, 30 },
        { "a shorter interval before the first run", Hourly with
        {
            StartAt = At(30),
        }, Hourly with { StartAt = At(30), Schedule = Schedule.Every(TimeSpan.FromMinutes(10)) }, false, null },
        { "a later start", Hourly, Hourly with { StartAt = At(300) }, false, null },
        { "a start that is put off", Hourly with { StartAt = At(30) }, Hourly with { StartAt = At(31) }, false, null },
        { "an earlier start", Hourly with { StartAt = At(30) }, Hourly with { StartAt = At(20) }, false, 20 },
        { "a start in the past", Hourly, Hourly with { StartAt = At(-20) }, false, -20 },
        { "no start any more", Hourly with { StartAt = At(300), NextRunAt = At(300) }, Hourly, false, 0 },
        { "no start any more, it has passed", Hourly with { StartAt = At(-30) }, Hourly, false, null },
        { "no start any more, a run is planned before it", Hourly with { StartAt = At(300) }, Hourly, false, null },
        { "a later start, nothing planned", Hourly with { IsPlanned = false, NextRunAt = null }, Hourly with
        {
            StartAt = At(300),
        }, false, 300 },
        { "a single run", Hourly, Once with { Schedule = Schedule.Once(At(300)) }, false, 300 },
        { "a single run at the same time", Hourly, Once, false, 30 },
        { "a single run at another time", Once, Once with { Schedule = Schedule.Once(At(300)) }, false, 300 },
        { "a single run again", Once with { State = JobState.Ended, IsPlanned = false, NextRunAt = null }, Once with
        {
            Schedule = Schedule.Once(At(300)),
        }, false, 300 },
        { "an interval instead of a single run", Once, Hourly, false, 0 },
        { "an interval with a start instead of a single run", Once, Hourly with { StartAt = At(300) }, false, 300 },
        { "another cron expression", Nightly, Nightly with { Schedule = Schedule.Cron("0 3 * * *") }, false, 17 * 60 },
        { "another time zone", Nightly, Nightly with { Schedule = Schedule.Cron("0 2 * * *", "Europe/Berlin") }, false, 15 * 60 },
        { "the same cron expression", Nightly, Nightly, false, null },
        { "another cron expression, the planned run is overdue", Nightly with
        {
            NextRunAt = At(-300),
        }, Nightly with { Schedule = Schedule.Cron("0 3 * * *") }, false, 17 * 60 },
        { "a later start of a cron job", Nightly, Nightly with { StartAt = At(5000) }, false, null },
        { "a start of a cron job in the past", Nightly, Nightly with { StartAt = At(-5000) }, false, null },
        { "no start of a cron job any more", Nightly with { StartAt = At(5000), NextRunAt = At(88 * 60) }, Nightly, false, 16 * 60 },
        { "a date without a run", Nightly, Nightly with { Except = ScheduleExceptions.Dates(new DateOnly(2026, 3, 2)) }, false, 40 * 60 },
        { "an interval with a date without a run", Hourly, Hourly with
        {
            Except = ScheduleExceptions.Dates(new DateOnly(2026, 3, 1)),
        }, false, (14 * 60) + 30 },
        { "a date without a run, the planned run is late", Late, Late with { Except = Christmas }, false, null },
        { "an end that is computed anew, the planned run is late", Late, Late with { EndAt = At(90_001) }, false, null },
        { "start and end that are computed anew, the planned run is late", Late with { StartAt = At(-1440) }, Late with
        {
            StartAt = At(0),
            EndAt = At(90_001),
        }, false, null },
        { "an end between the planned run, which is late, and the next", Late, Late with { EndAt = At(10) }, false, null },
        { "more due times, the planned run is late", Late, Late with { Schedule = Schedule.Cron("55 9,21 * * *") }, false, null },
        { "a date without a run and another queue, the planned run is late", Late, Late with { Except = Christmas }, true, -5 },
        { "a date without a run, the planned run was missed", Late with { NextRunAt = At(-1445) }, Late with
        {
            NextRunAt = At(-1445),
            Except = Christmas,
        }, false, null },
        { "the date of the planned run, which is late", Late, Late with
        {
            Except = ScheduleExceptions.Dates(new DateOnly(2026, 3, 1)),
        }, false, 1435 },
        { "another time, the planned run is late", Late, Late with { Schedule = Schedule.Cron("54 9 * * *") }, false, 1434 },
        { "a start that is computed anew and a date without a run", Nightly, Nightly with { StartAt = At(5000), Except = Christmas },
            false, null },
        { "cron instead of an interval", Hourly, Nightly, false, 16 * 60 },
        { "an interval instead of cron", Nightly, Hourly, false, 0 },
        { "an end after the next run", Hourly, Hourly with { EndAt = At(300) }, false, null },
        { "no start any more, the single run is over", Over with { StartAt = At(-20) }, Over, false, null },
        { "a later end, the single run is over", Over with { EndAt = At(10) }, Over with { EndAt = At(20) }, false, null },
        { "a date without a run, the single run is over", Over, Over with { Except = Christmas }, true, null },
        { "a later end, the interval job has ended", Hourly with
        {
            State = JobState.Ended,
            IsPlanned = false,
            NextRunAt = At(-600),
            EndAt = At(-500),
        }, Hourly with { EndAt = At(500) }, false, 0 },
        { "an ended job in another queue", Once with { State = JobState.Ended, IsPlanned = false, NextRunAt = null }, Once, true, null },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Definition_changes_the_plan(string change, JobTiming held, JobTiming wanted, bool isMoved, double? due)
    {
        var plan = JobPlanning.Replan(held, wanted, isMoved, Now);

        Assert.True(plan == (due is { } minutes ? new JobPlan(JobState.Active, At(minutes)) : null), $"{change}: {plan}");
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Definition_of_a_paused_job_only_moves_its_place(string change, JobTiming held, JobTiming wanted, bool isMoved, double? due)
    {
        var plan = JobPlanning.Replan(held with { State = JobState.Paused, IsPlanned = false }, wanted, isMoved, Now);

        Assert.True(plan is null or { State: JobState.Paused }, change);
        if (due is not null && !isMoved && held.State != JobState.Ended)
        {
            Assert.Equal(At(due.Value), plan!.Due);
        }
    }

    [Fact]
    public void Job_without_a_run_before_its_end_ends()
    {
        var ended = new JobPlan(JobState.Ended, null);

        Assert.Equal(ended, JobPlanning.Replan(Hourly, Hourly with { EndAt = At(20) }, false, Now));
        Assert.Equal(ended, JobPlanning.Replan(null, Nightly with { EndAt = At(20) }, false, Now));
        Assert.Null(JobPlanning.Resume(Nightly with { EndAt = At(20), NextRunAt = At(-600) }, Now));
        Assert.Equal(new JobPlan(JobState.Active, At(16 * 60)), JobPlanning.Replan(
            Nightly with { State = JobState.Ended, NextRunAt = null, IsPlanned = false, EndAt = At(-20) }, Nightly, false, Now));
    }

    [Fact]
    public void Time_that_the_row_of_an_ended_cron_job_contains_is_over()
        => Assert.Equal(
            new JobPlan(JobState.Active, At(1435)),
            JobPlanning.Replan(Late with { State = JobState.Ended, IsPlanned = false }, Late with { Except = Christmas }, false, Now));

    [Fact]
    public void Cron_job_begins_with_the_first_due_time_that_is_yet_to_come()
    {
        Assert.Equal(At(16 * 60), JobPlanning.Replan(null, Nightly with { StartAt = At(-5000) }, false, Now)!.Due);
        Assert.Equal(At(16 * 60), JobPlanning.Replan(null, Nightly with { StartAt = At(16 * 60) }, false, Now)!.Due);
        Assert.Equal(At(40 * 60), JobPlanning.Replan(null, Nightly with { StartAt = At((16 * 60) + 1) }, false, Now)!.Due);
    }

    [Fact]
    public void Planned_cron_run_is_corrected_when_its_time_zone_has_other_rules()
    {
        Assert.Null(JobPlanning.Correct(Nightly, Now));
        Assert.Equal(At(16 * 60), JobPlanning.Correct(Nightly with { NextRunAt = At(17 * 60) }, Now));
        Assert.Null(JobPlanning.Correct(Nightly with { NextRunAt = At(-60) }, Now));
        Assert.Null(JobPlanning.Correct(Nightly with { NextRunAt = At(17 * 60), State = JobState.Paused }, Now));
        Assert.Null(JobPlanning.Correct(Hourly with { NextRunAt = At(17) }, Now));
    }

    [Fact]
    public void Plan_after_a_due_time_whose_run_was_cancelled_stays()
    {
        Assert.Null(JobPlanning.Correct(Nightly with { NextRunAt = At(40 * 60) }, Now));
        Assert.Null(JobPlanning.Correct(Nightly with { NextRunAt = At((16 + (5 * 24)) * 60) }, Now));
    }

    [Fact]
    public void Plan_that_a_clock_far_ahead_has_left_is_corrected()
        => Assert.Equal(At(16 * 60), JobPlanning.Correct(Nightly with { NextRunAt = At((16 + (6 * 24)) * 60) }, Now));

    /// <summary>A daily run at 6:00 was planned by the old rules; the last two are the times of a start and of the run after it, in hours
    /// from midnight UTC. Athens is two hours ahead, Berlin one.</summary>
    [Theory]
    [InlineData("Europe/Athens", 5, 3.5, 4.0)]
    [InlineData("Europe/Athens", 5, 4.5, 4.0)] // 6:00 has passed without a run
    [InlineData("Europe/Athens", 29, 5.5, 28.0)] // 6:00 of this day has run half an hour ago, at the old time
    [InlineData("Europe/Berlin", 4, 3.5, 5.0)]
    [InlineData("Europe/Berlin", 28, 4.5, 29.0)] // 6:00 of this day has run already, and comes a second time
    [InlineData("Europe/Berlin", 29, 4.5, null)]
    public void Run_keeps_its_local_time_when_the_rules_of_its_time_zone_change(string zone, double planned, double now, double? due)
    {
        var midnight = new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
        var job = Nightly with { Schedule = Schedule.Cron("0 6 * * *", zone), NextRunAt = midnight.AddHours(planned) };

        var corrected = JobPlanning.Correct(job, midnight.AddHours(now));

        var expected = due is { } hours ? midnight.AddHours(hours) : (DateTimeOffset?)null;
        Assert.Equal(expected, corrected);
    }

    [Fact]
    public void Run_keeps_its_local_time_also_if_the_job_is_to_start_later_now()
    {
        var midnight = new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
        var job = Nightly with
        {
            Schedule = Schedule.Cron("0 6 * * *", "Europe/Athens"),
            NextRunAt = midnight.AddHours(29),
            StartAt = midnight.AddDays(30),
        };

        Assert.Equal(midnight.AddHours(28), JobPlanning.Correct(job, midnight.AddHours(5.5)));
    }

    [Theory]
    [InlineData("0 2 * * *", 24)]
    [InlineData("0 * * * *", 12)]
    public void Cron_job_runs_although_each_deployment_computes_a_later_start(string expression, int hoursBetween)
    {
        var job = Hourly with { Schedule = Schedule.Cron(expression), NextRunAt = null, IsPlanned = false, StartAt = Now.AddDays(1) };
        job = job with { NextRunAt = JobPlanning.Replan(null, job, false, Now)!.Due, IsPlanned = true };
        var first = job.NextRunAt;

        for (var now = Now.AddHours(hoursBetween); now < first; now = now.AddHours(hoursBetween))
        {
            var wanted = job with { StartAt = now.AddDays(1) };
            job = wanted with { NextRunAt = JobPlanning.Replan(job, wanted, false, now)?.Due ?? job.NextRunAt };
            Assert.Null(JobPlanning.Correct(job, now));
        }

        Assert.Equal(first, job.NextRunAt);
        Assert.Equal(At(16 * 60), JobPlanning.Correct(Nightly with { NextRunAt = At(17 * 60), StartAt = At(10) }, Now));
        Assert.Equal(At(16 * 60), JobPlanning.Correct(Nightly with { NextRunAt = At(17 * 60), StartAt = At(30 * 60) }, Now));
    }

    [Fact]
    public void Paused_and_ended_cron_runs_continue_on_the_schedule()
    {
        Assert.Equal(At(16 * 60), JobPlanning.Resume(Nightly with { NextRunAt = At(-600) }, Now));
        Assert.Equal(At(40 * 60), JobPlanning.Missing(Nightly, wasPlanned: true, Now));
        Assert.Equal(At(16 * 60), JobPlanning.Missing(Nightly, wasPlanned: false, Now));
    }

    [Theory]
    [InlineData(null, null, 0)]
    [InlineData(null, 300.0, 300)]
    [InlineData(300.0, null, 300)]
    public void New_job_begins_where_its_definition_says(double? once, double? start, double due)
    {
        var timing = once is { } at
            ? Once with { Schedule = Schedule.Once(At(at)) }
            : Hourly with { StartAt = start is { } first ? At(first) : null };

        Assert.Equal(new JobPlan(JobState.Active, At(due)), JobPlanning.Replan(
            null, timing with { NextRunAt = null, IsPlanned = false }, false, Now));
    }

    [Theory]
    [InlineData(30, 30)] // still to come
    [InlineData(-30, 30)] // passed: not a missed run
    [InlineData(-90, 30)]
    public void Resumed_job_keeps_its_place_on_the_grid(double next, double due)
        => Assert.Equal(At(due), JobPlanning.Resume(Hourly with { NextRunAt = At(next) }, Now));

    /// <summary>The job was paused before its first due time, or before one in between; the pause ends at the last one.</summary>
    [Theory]
    [InlineData(-120)]
    [InlineData(-60)]
    [InlineData(0)]
    public void Run_that_is_due_at_the_end_of_a_pause_is_not_lost(double next)
    {
        foreach (var schedule in new[] { Hourly.Schedule, Schedule.Cron("0 * * * *") })
        {
            var paused = Hourly with { Schedule = schedule, State = JobState.Paused, NextRunAt = At(next), IsPlanned = false };

            Assert.Equal(Now, JobPlanning.Resume(paused, At(0.5), until: Now));
            Assert.Equal(Now, JobPlanning.Resume(paused, Now, until: Now));
        }
    }

    [Theory]
    [InlineData(-30, -10.0, -30)] // due before the pause
    [InlineData(-90, -10.0, -90)]
    [InlineData(-10, -10.0, 50)] // due when it began, or later
    [InlineData(-5, -10.0, 55)]
    [InlineData(-30, null, 30)] // an older version has not stored when it began
    public void Run_that_was_due_before_a_pause_is_not_lost(double next, double? paused, double due)
        => Assert.Equal(
            At(due), JobPlanning.Resume(Hourly with { NextRunAt = At(next) }, Now, since: paused is { } since ? At(since) : null));

    [Fact]
    public void Resumed_single_run_that_was_due_meanwhile_runs_now()
        => Assert.Equal(At(-30), JobPlanning.Resume(Once with { NextRunAt = At(-30) }, Now));

    [Fact]
    public void Due_time_whose_entry_has_ended_is_over()
    {
        Assert.Equal(At(90), JobPlanning.Missing(Hourly, wasPlanned: true, Now));
        Assert.Null(JobPlanning.Missing(Once, wasPlanned: true, Now));
        Assert.Equal((JobState.Active, At(90), false), Parts(JobPlanning.Settle(Hourly, Now)));
        Assert.Equal((JobState.Ended, null, false), Parts(JobPlanning.Settle(Once, Now)));
    }

    [Theory]
    [InlineData("0 2 * * *", "Mars/Base")]
    [InlineData("61 * * * *", "UTC")]
    public void Job_that_can_not_be_planned_stays_without_a_next_run_when_its_entry_has_ended_and_is_planned_when_it_is_repaired(
        string expression, string zone)
    {
        var broken = Nightly with { Schedule = StoredSchedule.Read(null, null, expression, zone) };

        var settled = JobPlanning.Settle(broken, Now);

        Assert.Equal((JobState.Active, null, false), Parts(settled));
        Assert.Equal(new JobPlan(JobState.Active, At(16 * 60)), JobPlanning.Replan(settled, Nightly, isMoved: false, Now));
    }

    [Fact]
    public void Due_time_that_never_had_an_entry_is_still_to_come()
    {
        Assert.Equal(At(-30), JobPlanning.Missing(Hourly with { NextRunAt = At(-30) }, wasPlanned: false, Now));
        Assert.Equal(At(30), JobPlanning.Missing(Once with { NextRunAt = null }, wasPlanned: false, Now));
        Assert.Equal(Now, JobPlanning.Missing(Hourly with { NextRunAt = null }, wasPlanned: false, Now));
    }

    private static DateTimeOffset At(double minutes) => Now.AddMinutes(minutes);

    private static (JobState, DateTimeOffset?, bool) Parts(JobTiming timing) => (timing.State, timing.NextRunAt, timing.IsPlanned);
}
