using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class DueTimesTests
{
    private static readonly DateTimeOffset Due = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(60, -30, 60)] // planned for later, asked early
    [InlineData(60, 0, 60)] // on the dot
    [InlineData(60, 0.001, 60)] // the usual lateness
    [InlineData(60, 59.999, 60)]
    [InlineData(60, 60, 120)] // a grid time that is now is not in the future
    [InlineData(60, 61, 120)]
    [InlineData(60, 3600, 3660)]
    [InlineData(1, 86400.5, 86401)]
    [InlineData(7, 20, 21)] // the grid is the job's own, not the clock's
    public void Next_due_time_is_the_first_on_the_grid_that_is_still_to_come(double interval, double late, double expected)
    {
        var next = DueTimes.NextOnGrid(Due, TimeSpan.FromSeconds(interval), Due.AddSeconds(late));

        Assert.Equal(Due.AddSeconds(expected), next);
    }

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
    [InlineData(MissedRunPolicy.RunAll, 61, true, 60)]
    [InlineData(MissedRunPolicy.RunAll, 6000, true, 60)]
    public void Policy_says_what_becomes_of_a_late_run_and_when_the_next_is_due(MissedRunPolicy policy, double late, bool runs, double next)
    {
        var plan = DueTimes.Plan(policy, Due, TimeSpan.FromMinutes(1), Due.AddSeconds(late));

        Assert.Equal(new DuePlan(runs, Due.AddSeconds(next)), plan);
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
        var plan = DueTimes.Plan(policy, Due, TimeSpan.FromMinutes(1), Due.AddSeconds(late), Due.AddSeconds(start));

        Assert.Equal(Due.AddSeconds(next), plan.Next);
    }

    [Fact]
    public void Running_all_missed_runs_visits_every_due_time_once()
    {
        var now = Due.AddMinutes(5.5);
        var due = Due;
        var visited = new List<double>();

        while (due <= now)
        {
            visited.Add((due - Due).TotalMinutes);
            due = DueTimes.Plan(MissedRunPolicy.RunAll, due, TimeSpan.FromMinutes(1), now).Next;
        }

        Assert.Equal([0, 1, 2, 3, 4, 5], visited);
        Assert.Equal(Due.AddMinutes(6), due);
    }

    [Fact]
    public void Grid_does_not_drift_over_a_million_runs_that_start_late()
    {
        var interval = TimeSpan.FromSeconds(10);
        var due = Due;

        for (var run = 0; run < 1_000_000; run++)
        {
            due = DueTimes.NextOnGrid(due, interval, due.AddMilliseconds(run % 9000));
        }

        Assert.Equal(Due + (interval * 1_000_000), due);
    }
}
