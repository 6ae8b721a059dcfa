using TaskRecovery.Sqlite.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Jobs;

/// <summary>Job recovery on a file that others write to, and that somebody may have written to by hand.</summary>
public sealed class JobRecoveryTests() : JobStoreTests(new SqliteFixture())
{
    /// <summary>What the odd job's row has.</summary>
    public static TheoryData<string> Odd { get; } =
    [
        "every = 0",
        "every = -1",
        "every = 'often'",
        "every = 9223372036854775807",
        "next_run_at = 9223372036854775807",
        "next_run_at = -9223372036854775807",
        "every = 0, next_run_at = -9223372036854775807",
        "start_at = 9223372036854775807",
        "every = null, once_at = 9223372036854775807, next_run_at = null",
        "id = x'00'",
        "queue = cast(randomblob(5000) as text)",
    ];

    [Fact]
    public async Task Jobs_that_were_given_before_a_wrong_one_are_stored_when_the_call_fails()
    {
        NewJob[] jobs = [.. Enumerable.Range(0, 1_000).Select(static number => NewJob($"job {number}")), null!];

        await Assert.ThrowsAsync<NullReferenceException>(() => Jobs.UpsertManyAsync(jobs, Cancellation));

        Assert.NotNull(await Jobs.FindByNameAsync("job 999", Cancellation));
    }

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task Odd_job_holds_up_no_other(string odd)
    {
        await GivenJobAsync(name: "odd");
        var job = await GivenJobAsync();
        foreach (var entry in await WaitingRunsAsync())
        {
            await Store.CancelAsync(entry.Id, Cancellation);
        }

        await ChangeAsync($"update taskrecovery_jobs set {odd} where name = 'odd'");
        await Jobs.RecoverJobsAsync(Cancellation);

        var planned = await Task.WhenAll((await WaitingRunsAsync()).Select(entry => FindAsync(entry.Id)));
        Assert.Contains(planned, entry => entry.Args.Contains(job.Id.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("every = 9223372036854775807")]
    [InlineData("every = -9223372036854775807")]
    [InlineData("catch_up_within = 9223372036854775807, expires_after = 9223372036854775807, timeout = 9223372036854775807")]
    [InlineData("next_run_at = 9223372036854775807")]
    [InlineData("end_at = 9223372036854775807")]
    [InlineData("orphaned_at = 9223372036854775807")]
    public async Task Odd_job_can_be_read_paused_resumed_and_deleted_and_hides_no_other(string odd)
    {
        var job = await GivenJobAsync(name: "odd");
        await GivenJobAsync(Schedule.Cron("0 0 1 1 *"), name: "other");
        await ChangeAsync($"update taskrecovery_jobs set {odd} where name = 'odd'");
        var both = await Jobs.ListAsync(Cancellation);

        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await Jobs.ResumeAsync(job.Id, Cancellation);

        Assert.Equal(["odd", "other"], both.Select(static one => one.Name));
        Assert.Equal(JobState.Active, (await FindJobAsync(job.Id)).State);
        Assert.Equal(2, (await WaitingRunsAsync()).Count);
        Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
        Assert.Equal("other", Assert.Single(await Jobs.ListAsync(Cancellation)).Name);
    }

    [Fact]
    public async Task A_job_with_an_id_of_another_type_hides_no_other()
    {
        BreaksTheInvariant = true;
        await GivenJobAsync(name: "odd");
        await GivenJobAsync(name: "other");
        await ChangeAsync("update taskrecovery_jobs set id = x'00' where name = 'odd'");

        var found = await Jobs.ListAsync(new JobQuery { NameContains = "o" }, Cancellation);

        Assert.Equal("other", Assert.Single(await Jobs.ListAsync(Cancellation)).Name);
        Assert.Equal("other", Assert.Single(found.Jobs).Name);
        Assert.Null(await Jobs.FindByNameAsync("odd", Cancellation));
    }

    [Fact]
    public async Task The_name_of_a_job_with_an_id_of_another_type_can_be_used()
    {
        await Jobs.UpsertAsync(NewJob("odd") with { DeclaredBy = "app", DeclaredAs = "a" }, Cancellation);
        await ChangeAsync("update taskrecovery_jobs set id = x'00' where name = 'odd'");
        var declared = await Jobs.ListDeclaredAsync("app", Cancellation);

        var job = await Jobs.UpsertAsync(NewJob("odd") with { DeclaredBy = "app", DeclaredAs = "a" }, Cancellation);

        Assert.Empty(declared);
        Assert.Equal(job.Id, Assert.Single(await Jobs.ListAsync(Cancellation)).Id);
        Assert.NotNull(job.NextRunAt);
    }

    [Theory]
    [InlineData("x'00'", "x'01'", "x'02'")]
    [InlineData("'a'", "'b'", "'c'")]
    [InlineData("1", "2", "3")]
    public async Task A_task_with_an_id_of_another_type_stops_no_recovery_and_hides_no_other(string first, string second, string third)
    {
        BreaksTheInvariant = true;
        await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        var ended = await GivenClaimedAsync(GivenNode());
        await FinishAsync(ended);
        var running = await GivenClaimedAsync(GivenNode());
        await ChangeAsync($"insert into taskrecovery_tasks (id, job_id, created_at) values ({first}, x'00', 0)");
        await ChangeAsync($"insert into taskrecovery_tasks (id, job_id, entry_id, created_at) values ({second}, x'00', {ended.Id}, 0)");
        await ChangeAsync($"insert into taskrecovery_tasks (id, job_id, entry_id, created_at) values ({third}, x'00', {running.Id}, 0)");

        var recovered = await Jobs.RecoverTasksAsync(Hour, MaxCrashes, Cancellation);
        var swept = await DieAndSweepAsync(running.Node);
        var listed = await Jobs.ListTasksAsync(null, null, 100, Cancellation);
        var page = await Monitor.ListTasksAsync(new TaskQuery(), Cancellation);
        var life = await Monitor.GetLifeAsync(running.Id, null, Cancellation);

        Assert.Empty(recovered.Items);
        Assert.Equal(running.Id, Assert.Single(swept.Items).EntryId);
        Assert.Equal(task.Id, Assert.Single(listed).Id);
        Assert.Equal(task.Id, Assert.Single(page.Tasks).Id);
        Assert.Equal((EntryState.Waiting, null), (life!.Entry.State, life.Task));
        Assert.Equal(1, await Store.EraseAsync(EraseTarget.Entry(ended.Id), Cancellation));
    }

    [Fact]
    public async Task A_task_with_an_id_of_another_type_keeps_no_job_from_running()
    {
        await GivenJobAsync(configure: static definition => definition with { Overlap = OverlapPolicy.Skip });
        await ChangeAsync("insert into taskrecovery_tasks (id, job_id, state, created_at, started_at) "
            + "select x'00', id, 1, 0, 0 from taskrecovery_jobs");

        var start = await StartAsync(await ClaimRunAsync(GivenNode()));

        Assert.Equal(TaskStartDecision.Started, start.Decision);
    }

    [Theory]
    [InlineData("catch_up_within = 9223372036854775807")]
    [InlineData("expires_after = 9223372036854775807")]
    public async Task Odd_job_makes_up_for_its_missed_runs(string odd)
    {
        await GivenJobAsync(configure: static definition => definition with { MissedRuns = MissedRunPolicy.RunAll });
        await ChangeAsync($"update taskrecovery_jobs set {odd}");
        await ShiftTimeAsync(3.5 * Hour);

        var start = await StartAsync(await ClaimRunAsync(GivenNode()));

        Assert.Equal((TaskStartDecision.Started, 0), (start.Decision, start.Dropped));
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Recovery_that_finds_nothing_needs_no_write_lock()
    {
        await GivenJobAsync();
        await GivenRunningTaskAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        // A call that needs the lock waits for it for 30 s, and fails.
        var limit = TimeSpan.FromMinutes(2);
        Assert.Equal(0, (await Jobs.RecoverJobsAsync(Cancellation).WaitAsync(limit, Cancellation)).Planned);
        Assert.Empty((await Jobs.RecoverTasksAsync(Hour, MaxCrashes, Cancellation).WaitAsync(limit, Cancellation)).Items);
    }

    private async Task ChangeAsync(string statement)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
    }
}
