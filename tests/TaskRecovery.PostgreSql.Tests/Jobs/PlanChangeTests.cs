using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>Changes of plans: what is in a transaction, and a planned entry that can't be ended.</summary>
public sealed class PlanChangeTests() : JobStoreTests(new PostgreSqlFixture())
{
    [Fact]
    public async Task Wrong_plans_of_many_jobs_are_corrected_in_one_transaction()
    {
        var schedule = FarAhead(await Fixture.GetTimeAsync(Cancellation));
        for (var number = 0; number < 20; number++)
        {
            await GivenJobAsync(schedule, name: $"job {number}");
        }

        await ExecuteAsync("update jobs set time_zone = 'Asia/Tokyo'");

        Assert.Equal(20, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);
        Assert.Equal(1L, await ScalarAsync("select count(distinct xmin::text) from jobs"));
        Assert.Equal(20L, await ScalarAsync("select count(*) from jobs j join waiting w on w.id = j.planned_entry"));
    }

    [Fact]
    public async Task Job_is_not_changed_if_its_planned_entry_could_still_run_beside_the_new_plan()
    {
        var job = await GivenJobAsync();
        await ExecuteAsync("""
            create function keep() returns trigger language plpgsql as 'begin return null; end';
            create trigger keep before delete on waiting for each row execute function keep()
            """);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
        Assert.Equal((JobState.Active, job.NextRunAt), ((await FindJobAsync(job.Id)).State, (await FindJobAsync(job.Id)).NextRunAt));

        await ExecuteAsync("drop trigger keep on waiting");
        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Start_that_changes_nothing_leaves_no_event_about_missed_runs()
    {
        const string countEvents = "select count(*) from events where detail is null and entries = 8";
        await GivenJobAsync(configure: static definition => definition with { MissedRuns = MissedRunPolicy.RunAll, CatchUpLimit = 3 });
        await ShiftTimeAsync(10.5 * Hour);
        var run = await ClaimRunAsync(GivenNode());

        // As if the outcome had been stored between the facts and the verdict.
        await ExecuteAsync("""
            create function keep() returns trigger language plpgsql as 'begin return null; end';
            create trigger keep before insert on outcomes for each row execute function keep()
            """);
        Assert.Equal(TaskStartDecision.ClaimLost, (await StartAsync(run)).Decision);
        Assert.Equal(0L, await ScalarAsync(countEvents));

        await ExecuteAsync("drop trigger keep on outcomes");
        Assert.Equal(8, (await StartAsync(run)).Dropped);
        Assert.Equal(1L, await ScalarAsync(countEvents));
    }

    [Fact]
    public async Task Job_whose_planned_entry_is_in_no_place_can_be_changed()
    {
        var job = await GivenJobAsync();
        await ExecuteAsync("delete from waiting");

        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation));
        Assert.Equal(JobState.Paused, (await FindJobAsync(job.Id)).State);
        await ExecuteAsync("delete from entries");
    }

    private async Task ExecuteAsync(string text)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<object?> ScalarAsync(string text)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
