using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

/// <summary>Whether a late run starts, and which run comes next.</summary>
public sealed class MissedRunsTests
{
    private static readonly DateTimeOffset Due = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    private static readonly JobTiming EveryMinute = new()
    {
        Name = "job",
        State = JobState.Active,
        Schedule = Schedule.Every(TimeSpan.FromMinutes(1)),
        NextRunAt = Due,
        IsPlanned = true,
    };

    private static readonly JobTiming CronEveryMinute = EveryMinute with { Schedule = Schedule.Cron("* * * * *") };

    private static readonly MissedRunRules Rules = new(MissedRunPolicy.RunOnce, null, 1_000, null, DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 0.2, true, 60)]
    [InlineData(MissedRunPolicy.RunOnce, 59, true, 60)]
    [InlineData(MissedRunPolicy.RunOnce, 61, true, 120)]
    [InlineData(MissedRunPolicy.RunOnce, 6000, true, 6060)]
    [InlineData(MissedRunPolicy.Skip, 0.2, true, 60)]
    [InlineData(MissedRunPolicy.Skip, 60, true, 120)]
    [InlineData(MissedRunPolicy.Skip, 60.001, false, 120)]
    [InlineData(MissedRunPolicy.Skip, 6000, false, 6060)]
    [InlineData(MissedRunPolicy.RunAll, 0.2, true, 60)]
    [InlineData(MissedRunPolicy.RunAll, 60, true, 60)]
    [InlineData(MissedRunPolicy.RunAll, 61, true, 60)]
    [InlineData(MissedRunPolicy.RunAll, 6000, true, 60)]
    public void Policy_decides_about_a_late_run_and_the_next_one(MissedRunPolicy policy, double late, bool runs, double next)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var start = MissedRuns.Plan(job, Rules with { Policy = policy }, Due.AddSeconds(late));

            Assert.Equal(new PlannedStart(runs ? null : EndReasons.Missed, Due.AddSeconds(next), late > 60), start);
        }
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 30, 0.2, 30)] // a start that is still to come is the next due time
    [InlineData(MissedRunPolicy.RunOnce, 500, 0.2, 500)]
    [InlineData(MissedRunPolicy.RunOnce, 30, 40, 90)] // one that has passed moves the grid
    [InlineData(MissedRunPolicy.Skip, 30, 40, 90)]
    [InlineData(MissedRunPolicy.RunAll, 30, 40, 30)]
    [InlineData(MissedRunPolicy.RunOnce, 0, 0.2, 60)] // the usual case: the grid began at or before this run
    [InlineData(MissedRunPolicy.RunOnce, -30, 0.2, 60)]
    [InlineData(MissedRunPolicy.RunAll, -30, 0.2, 60)]
    public void Start_that_is_later_than_the_run_begins_the_grid_anew(MissedRunPolicy policy, double start, double late, double next)
    {
        var plan = MissedRuns.Plan(
            EveryMinute with { StartAt = Due.AddSeconds(start) }, Rules with { Policy = policy }, Due.AddSeconds(late));

        Assert.Equal(Due.AddSeconds(next), plan.Next);
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 600.5, 0, 660)]
    [InlineData(MissedRunPolicy.RunAll, 600.5, 300, 360)] // minutes 1 to 5 are before the change
    public void Nothing_is_made_up_from_before_the_last_change(MissedRunPolicy policy, double late, double changed, double next)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var start = MissedRuns.Plan(job, Rules with { Policy = policy, ChangedAt = Due.AddSeconds(changed + 1) }, Due.AddSeconds(late));

            Assert.Equal(new PlannedStart(null, Due.AddSeconds(next), true), start with { Dropped = 0 });
        }
    }

    [Theory]
    [InlineData("Europe/Dublin", "30 1 * * *", 3, 28)]
    [InlineData("Europe/Dublin", "0 * * * *", 3, 28)]
    [InlineData("Europe/Dublin", "*/5 * * * *", 10, 24)]
    [InlineData("Africa/Casablanca", "30 2 * * *", 2, 14)]
    [InlineData("Africa/Casablanca", "30 2 * * *", 3, 21)]
    public void Next_run_is_later_or_the_job_can_not_be_planned(string zone, string expression, int month, int day)
    {
        var due = new DateTimeOffset(2026, month, day, 0, 0, 0, TimeSpan.Zero);
        for (var end = due.AddDays(3); due < end;)
        {
            var job = EveryMinute with { Schedule = Schedule.Cron(expression, zone), NextRunAt = due };
            var now = due.AddSeconds(1);
            DateTimeOffset? next = null;

            var problem = Record.Exception(() => { next = MissedRuns.Plan(job, Rules, now).Next; });

            Assert.True(problem is null || UnplannableJob.IsProblem(problem), $"{problem}");
            Assert.True(problem is not null || next > due, $"The run after {due:O} is due at {next:O}.");
            due = next ?? end;
        }
    }

    /// <summary>When the last pause began and ended, in seconds from the due time of the run; now is 630.</summary>
    [Theory]
    [InlineData(30, 270, 100, true, 300, 0)]
    [InlineData(150, 270, 100, true, 60, 0)]
    [InlineData(150, 270, 3, false, 480, 6)] // the run itself, minutes 1 and 2, and 5 to 7
    [InlineData(450, 620, 3, false, 300, 5)] // minutes 0 to 4: the due times of the pause do not use up the limit
    [InlineData(90, 620, 3, true, 60, 0)]
    [InlineData(-600, -300, 3, false, 480, 8)]
    [InlineData(30, 2000, 100, true, 60, 0)] // its end is still to come: it was ended by hand
    public void What_was_due_during_a_pause_is_not_made_up_for(
        int pausedFrom, int pausedUntil, int limit, bool runs, int next, int dropped)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var start = MissedRuns.Plan(
                job,
                Rules with
                {
                    Policy = MissedRunPolicy.RunAll,
                    CatchUpLimit = limit,
                    PausedFrom = Due.AddSeconds(pausedFrom),
                    PausedUntil = Due.AddSeconds(pausedUntil),
                },
                Due.AddSeconds(630));

            Assert.Equal(new PlannedStart(runs ? null : EndReasons.Missed, Due.AddSeconds(next), true, dropped), start);
        }
    }

    /// <summary>In seconds from the due time of the run; now is 630.</summary>
    [Theory]
    [InlineData(30, 620, false)] // 10 s late by the run of 620, but the job was paused then: 10 minutes late
    [InlineData(30, 590, true)] // 30 s late by the run of minute 10
    [InlineData(590, 620, true)] // 90 s late by the run of minute 9
    public void One_run_for_all_is_not_as_late_as_a_run_during_a_pause_would_be(int pausedFrom, int pausedUntil, bool runs)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var rules = Rules with { PausedFrom = Due.AddSeconds(pausedFrom), PausedUntil = Due.AddSeconds(pausedUntil) };
            foreach (var (limited, reason) in new[]
            {
                (rules with { ExpiresAfter = TimeSpan.FromSeconds(100) }, EndReasons.Expired),
                (rules with { CatchUpWithin = TimeSpan.FromSeconds(100) }, EndReasons.Missed),
            })
            {
                var start = MissedRuns.Plan(job, limited, Due.AddSeconds(630));

                Assert.Equal(new PlannedStart(runs ? null : reason, Due.AddSeconds(660), IsMissed: true), start);
            }
        }
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 600, 1, null, 0)] // one run stands for all of them
    [InlineData(MissedRunPolicy.Skip, 600, 1, null, 0)] // what the policy says
    [InlineData(MissedRunPolicy.RunAll, 600, 100, null, 0)]
    [InlineData(MissedRunPolicy.RunAll, 600, 11, null, 0)]
    [InlineData(MissedRunPolicy.RunAll, 600, 10, null, 1)] // the planned one
    [InlineData(MissedRunPolicy.RunAll, 600, 3, null, 8)]
    [InlineData(MissedRunPolicy.RunAll, 600, 100, 200.0, 7)]
    [InlineData(MissedRunPolicy.RunAll, 864_000, 100, null, 1_000)] // counted up to here
    public void Runs_that_are_not_made_up_for_are_counted(MissedRunPolicy policy, double late, int limit, double? within, int dropped)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var rules = Rules with
            {
                Policy = policy,
                CatchUpLimit = limit,
                CatchUpWithin = within is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            };

            Assert.Equal(dropped, MissedRuns.Plan(job, rules, Due.AddSeconds(late + 0.5)).Dropped);
        }
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 30, 29.9, true, 660)] // the latest missed run was due 30 s ago
    [InlineData(MissedRunPolicy.RunOnce, 30, 30.1, false, 660)]
    [InlineData(MissedRunPolicy.RunAll, 600, 30, false, 60)] // the planned run is too old, the one after it is not
    [InlineData(MissedRunPolicy.RunAll, 90, 0, false, 540)]
    public void Missed_runs_are_made_up_for_a_limited_time(MissedRunPolicy policy, double within, double late, bool runs, double next)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var start = MissedRuns.Plan(
                job, Rules with { Policy = policy, CatchUpWithin = TimeSpan.FromSeconds(within) }, Due.AddSeconds(600 + late));

            Assert.Equal(new PlannedStart(runs ? null : EndReasons.Missed, Due.AddSeconds(next), true), start with { Dropped = 0 });
        }
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 0, 10, null, 60)]
    [InlineData(MissedRunPolicy.RunOnce, 0, 11, EndReasons.Expired, 60)] // late, but not missed
    [InlineData(MissedRunPolicy.RunOnce, 600, 10, null, 660)] // the latest of the missed runs may still start
    [InlineData(MissedRunPolicy.RunOnce, 600, 11, EndReasons.Expired, 660)]
    [InlineData(MissedRunPolicy.RunAll, 600, 10, EndReasons.Expired, 600)]
    public void Run_does_not_start_after_its_deadline(MissedRunPolicy policy, double passed, double late, string? reason, double next)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var start = MissedRuns.Plan(
                job, Rules with { Policy = policy, ExpiresAfter = TimeSpan.FromSeconds(10) }, Due.AddSeconds(passed + late));

            Assert.Equal((reason, Due.AddSeconds(next)), (start.Reason, start.Next));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void Running_all_missed_runs_visits_the_latest_due_times_once(int limit)
    {
        foreach (var job in new[] { EveryMinute, CronEveryMinute })
        {
            var now = Due.AddMinutes(5.5);
            var visited = new List<double>();
            DateTimeOffset? next = Due;

            while (next <= now)
            {
                var start = MissedRuns.Plan(
                    job with { NextRunAt = next }, Rules with { Policy = MissedRunPolicy.RunAll, CatchUpLimit = limit }, now);
                if (start.Reason is null)
                {
                    visited.Add((next.Value - Due).TotalMinutes);
                }

                next = start.Next;
            }

            Assert.Equal(new double[] { 0, 1, 2, 3, 4, 5 }.TakeLast(limit), visited);
            Assert.Equal(Due.AddMinutes(6), next);
        }
    }

    [Fact]
    public void A_limit_costs_the_same_however_long_ago_the_planned_run_was_due()
    {
        var job = EveryMinute with { Schedule = Schedule.Cron("* * * * * *"), NextRunAt = Due.AddYears(-20) };

        var start = MissedRuns.Plan(job, Rules with { Policy = MissedRunPolicy.RunAll, CatchUpLimit = 100 }, Due);

        Assert.Equal(new PlannedStart(EndReasons.Missed, Due.AddSeconds(-99), true, Dropped: 1_000), start);
    }

    [Fact]
    public void Job_has_no_run_after_its_end()
    {
        var job = EveryMinute with { EndAt = Due.AddMinutes(3) };

        Assert.Equal(Due.AddMinutes(3), MissedRuns.Plan(job, Rules, Due.AddMinutes(2)).Next);
        Assert.Null(MissedRuns.Plan(job, Rules, Due.AddMinutes(3)).Next);
        Assert.Equal(new PlannedStart(null, null, true), MissedRuns.Plan(job, Rules, Due.AddMinutes(9)));
        Assert.Equal(new PlannedStart(null, Due.AddMinutes(1), true), MissedRuns.Plan(
            job, Rules with { Policy = MissedRunPolicy.RunAll }, Due.AddMinutes(9)));
    }

    [Fact]
    public void Single_run_is_never_missed()
    {
        var once = EveryMinute with { Schedule = Schedule.Once(Due) };

        foreach (var policy in Enum.GetValues<MissedRunPolicy>())
        {
            Assert.Equal(new PlannedStart(null, null, false), MissedRuns.Plan(once, Rules with { Policy = policy }, Due.AddDays(9)));
        }

        Assert.Equal(EndReasons.Expired, MissedRuns.Plan(once, Rules with { ExpiresAfter = TimeSpan.FromDays(1) }, Due.AddDays(9)).Reason);
    }

    [Fact]
    public void Excluded_due_times_are_not_missed_runs()
    {
        var daily = EveryMinute with
        {
            Schedule = Schedule.Cron("0 10 * * *"),
            Except = ScheduleExceptions.Dates(
            new DateOnly(2026, 3, 2), new DateOnly(2026, 3, 3))
        };

        Assert.Equal(new PlannedStart(null, Due.AddDays(3), false), MissedRuns.Plan(daily, Rules, Due.AddDays(2.5)));
    }
}
