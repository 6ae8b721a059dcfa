using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests that the invariant query finds jobs whose plan or runs break their definition.</summary>
public abstract class JobInvariantTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Theory]
    [InlineData("state", "1", "is paused or has ended")]
    [InlineData("state", "2", "is paused or has ended")]
    [InlineData("end_at", "start_at", "ends at")]
    public async Task A_planned_run_that_should_not_exist_is_found(string column, string value, string expected)
    {
        BreaksTheInvariant = true;
        await GivenJobAsync(name: "other");
        await GivenJobAsync(configure: definition => definition with { StartAt = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) });
        await Fixture.SetJobAsync("report", "next_run_at", "created_at", Cancellation);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

        await Fixture.SetJobAsync("report", column, value, Cancellation);

        Assert.Contains($"job report {expected}", await FindViolationAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OverlapPolicy.Skip)]
    [InlineData(OverlapPolicy.QueueOne)]
    [InlineData(OverlapPolicy.CancelPrevious)]
    public async Task Runs_that_overlap_although_they_may_not_are_found(OverlapPolicy overlap)
    {
        BreaksTheInvariant = true;
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.Allow });
        await GivenRunningTaskAsync(node);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        await GivenRunningTaskAsync(node);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

        await Fixture.SetJobAsync("report", "overlap", $"{(int)overlap}", Cancellation);

        Assert.Contains("job report lets no runs overlap", await FindViolationAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_run_that_waits_is_found()
    {
        BreaksTheInvariant = true;
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.CancelPrevious });
        await GivenRunningTaskAsync(node);
        for (var waiting = 0; waiting < 2; waiting++)
        {
            // While a node holds it, a waiting run is only asked to cancel.
            await Jobs.TriggerAsync(job.Id, null, Cancellation);
            Assert.Equal(TaskStartDecision.Wait, (await StartAsync(await ClaimRunAsync(node))).Decision);
        }

        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

        await Fixture.SetJobAsync("report", "overlap", $"{(int)OverlapPolicy.QueueOne}", Cancellation);

        Assert.Contains("job report lets one run wait", await FindViolationAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unfinished_task_of_an_entry_that_has_ended_is_found()
    {
        BreaksTheInvariant = true;
        await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(GivenNode());

        await FinishAsync(run.Held, isTask: false);

        Assert.Contains($"its entry {run.Held.Id} has ended", await FindViolationAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_from_before_a_change_and_runs_with_a_policy_of_their_own_may_overlap()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: definition => definition with { Overlap = OverlapPolicy.Allow });
        await GivenRunningTaskAsync(node);
        await Jobs.TriggerAsync(job.Id, null, Cancellation);
        await GivenRunningTaskAsync(node);

        await GivenJobAsync();
        await Jobs.TriggerAsync(job.Id, OverlapPolicy.Allow, Cancellation);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(await ClaimRunAsync(node))).Decision);

        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));
    }

    private async Task<string> FindViolationAsync() => Assert.Single(await Store.CheckInvariantsAsync(Cancellation));
}
