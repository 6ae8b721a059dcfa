using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests that many jobs which are stored at once become what they become one by one.</summary>
public abstract class ManyJobsTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task New_jobs_are_stored_as_they_were_defined_and_planned()
    {
        var at = (await Fixture.GetTimeAsync(Cancellation)).AddHours(5);
        NewJob[] jobs = [.. Enumerable.Range(0, 600).Select(number => Declared($"job {number}")), .. Special("", at)];

        var stored = await Jobs.UpsertManyAsync(jobs, Cancellation);

        Assert.Equal(jobs.Select(static job => job.Definition.Name), stored.Select(static job => job.Name));
        Assert.Equal(600 + 4, (await WaitingRunsAsync()).Count);
        var run = await ClaimRunAsync(GivenNode(), "single");
        Assert.Equal(stored.Single(static job => job.Name == "soon").Id, run.JobId);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(run)).Decision);
        foreach (var alone in Special("alone ", at))
        {
            var expected = await Jobs.UpsertAsync(alone, Cancellation);
            var actual = stored.Single(job => "alone " + job.Name == expected.Name);
            Assert.Equal(Comparable(expected), Comparable(actual with { Name = expected.Name }));
            Assert.Equal(expected.NextRunAt is null, actual.NextRunAt is null);
            Assert.Equal(Comparable(actual), Comparable(await FindJobAsync(actual.Id)));
        }
    }

    [Fact]
    public async Task Jobs_that_exist_are_updated_and_keep_what_was_changed_at_run_time()
    {
        var first = await Jobs.UpsertManyAsync([Declared("same"), Declared("changed")], Cancellation);
        await Jobs.UpsertAsync(NewJob("same", Schedule.Every(TimeSpan.FromHours(9))), Cancellation);

        var second = await Jobs.UpsertManyAsync(
            [Declared("new"), Declared("same"), Declared("changed", "another digest", TimeSpan.FromHours(7))], Cancellation);

        Assert.Equal(["new", "same", "changed"], second.Select(static job => job.Name));
        Assert.Equal([first[0].Id, first[1].Id], second.Skip(1).Select(static job => job.Id));
        Assert.Equal([1, 9, 7], second.Select(static job => (int)job.Schedule.Interval!.Value.TotalHours));
    }

    [Fact]
    public async Task Processes_that_store_the_same_jobs_at_once_make_each_once()
    {
        var names = Enumerable.Range(0, 150).Select(static number => $"job {number}").ToArray();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(process => Task.Run(
            () => Jobs.UpsertManyAsync(
                [.. (process % 2 == 0 ? names : names.Reverse()).Select(static name => Declared(name))], Cancellation), Cancellation)));

        Assert.Equal(150, answers.SelectMany(static jobs => jobs).Select(static job => job.Id).Distinct().Count());
        Assert.Equal(150, (await WaitingRunsAsync()).Count);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task One_that_cannot_be_planned_says_so_and_leaves_the_ones_before_it()
    {
        var unknown = NewJob("unknown", StoredSchedule.Read(null, null, "0 0 * * *", "Nowhere/Town"));

        await Assert.ThrowsAnyAsync<TimeZoneNotFoundException>(
            () => Jobs.UpsertManyAsync([Declared("before"), unknown, Declared("after")], Cancellation));

        Assert.NotNull(await Jobs.FindByNameAsync("before", Cancellation));
        Assert.Null(await Jobs.FindByNameAsync("unknown", Cancellation));
    }

    private static NewJob Declared(string name, string digest = "digest", TimeSpan? every = null)
        => NewJob(name, Schedule.Every(every ?? Hour), static definition => definition with { Queue = "reports" }) with
        {
            DeclaredBy = "shop",
            DeclaredAs = digest,
        };

    // One for each way in which a job can be planned.
    private static IEnumerable<NewJob> Special(string prefix, DateTimeOffset at) =>
    [
        NewJob(prefix + "all", Schedule.Cron("0 3 * * *", "Europe/Berlin"), definition => definition with
        {
            Queue = "reports",
            Overlap = OverlapPolicy.QueueOne,
            MissedRuns = MissedRunPolicy.RunAll,
            CatchUpWithin = TimeSpan.FromHours(3),
            CatchUpLimit = 7,
            ExpiresAfter = TimeSpan.FromMinutes(20),
            EndAt = at.AddDays(400),
            Except = ScheduleExceptions.Dates(new DateOnly(2030, 1, 1)),
            Priority = 2,
            Timeout = TimeSpan.FromMinutes(3),
        }),
        NewJob(prefix + "late", configure: definition => definition with { Queue = "reports", StartAt = at }),
        NewJob(prefix + "once", Schedule.Once(at), static definition => definition with { Queue = "reports" }),
        NewJob(prefix + "soon", configure: static definition => definition with { Queue = "single" }),
        NewJob(prefix + "over", Schedule.Once(at), definition => definition with { EndAt = at.AddHours(-1) }),
    ];

    private static Job Comparable(Job job)
        => job with { Id = default, Args = "", CreatedAt = default, UpdatedAt = default, NextRunAt = default };
}
