using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Jobs;

/// <summary>Tests which due times a job has after its planned run was cancelled, after a pause, and at the edges of its
/// definition.</summary>
public abstract class DueTimeTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Cancelled_run_does_not_come_back_at_the_next_start()
    {
        var job = await GivenJobAsync(FarAhead(await Fixture.GetTimeAsync(Cancellation)));
        Assert.True(await Store.CancelAsync(Assert.Single(await WaitingRunsAsync()).Id, Cancellation));
        Assert.Equal(1, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);
        var next = Assert.Single(await WaitingRunsAsync());

        Assert.Equal(0, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);

        Assert.Equal(job.NextRunAt!.Value.AddYears(1), (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(next.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }
}
