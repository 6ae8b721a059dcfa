using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>Jobs with intervals and times that the library would not store, but that the system before it, or somebody by hand, may have:
/// one of them holds up none of the others.</summary>
public sealed class OddJobTests() : JobStoreTests(new PostgreSqlFixture())
{
    /// <summary>What the odd job's row has.</summary>
    public static TheoryData<string> Odd { get; } =
    [
        "every = '0'",
        "every = '-1 hour'",
        "next_run_at = '-infinity'",
        "next_run_at = 'infinity'",
        "next_run_at = '4000-01-01 BC'",
        "next_run_at = '294276-12-31 23:59:59+00'",
        "every = '0', next_run_at = '-infinity'",
        "every = null, once_at = '-infinity', next_run_at = null",
        "every = null, once_at = 'infinity', next_run_at = null",
        "every = '178000000 years'",
        "start_at = 'infinity'",
        $"queue = {Long}",
        $"entry_kind = {Long}",
    ];

    // Longer than a row of an index can be, also when it is compressed.
    private const string Long = "(select string_agg(md5(n::text), '') from generate_series(1, 200) n)";

    [Theory]
    [MemberData(nameof(Odd))]
    public Task Odd_job_that_was_never_planned_holds_up_no_other(string odd)
        => ThenPlanningGoesOnAsync("delete from waiting; delete from entries; update jobs set planned_entry = null", odd);

    [Theory]
    [MemberData(nameof(Odd))]
    public Task Odd_job_whose_planned_entry_is_gone_holds_up_no_other(string odd)
        => ThenPlanningGoesOnAsync("delete from waiting; delete from entries", odd);

    [Theory]
    [InlineData("every = '0'", MissedRunPolicy.RunOnce)]
    [InlineData("every = '0'", MissedRunPolicy.RunAll)]
    [InlineData("every = '-1 hour'", MissedRunPolicy.Skip)]
    [InlineData("next_run_at = '-infinity'", MissedRunPolicy.RunOnce)]
    [InlineData("next_run_at = '-infinity'", MissedRunPolicy.Skip)]
    [InlineData("next_run_at = '-infinity'", MissedRunPolicy.RunAll)]
    [InlineData("next_run_at = 'infinity'", MissedRunPolicy.RunOnce)]
    public async Task Odd_job_starts_and_has_its_next_run_planned(string odd, MissedRunPolicy policy)
    {
        var job = await GivenJobAsync(configure: definition => definition with { MissedRuns = policy });
        var run = await ClaimRunAsync(GivenNode());
        await ChangeAsync("", odd, name: job.Name);

        var start = await StartAsync(run);

        Assert.Contains(start.Decision, new[] { TaskStartDecision.Started, TaskStartDecision.Skip });
        var next = Assert.Single(await WaitingRunsAsync());
        Assert.NotEqual(run.Held.Id, next.Id);
    }

    [Theory]
    [InlineData("every = '0'")]
    [InlineData("every = '-1 hour'")]
    [InlineData("next_run_at = '-infinity'")]
    [InlineData("next_run_at = 'infinity'")]
    [InlineData("every = '0', next_run_at = '-infinity'")]
    [InlineData("every = '178000000 years'")]
    [InlineData("every = '-178000000 years'")]
    [InlineData("catch_up_within = '178000000 years', expires_after = '178000000 years'")]
    [InlineData("next_run_at = '294276-12-31 23:59:59+00'")]
    [InlineData("once_at = '294276-12-31 23:59:59+00'")]
    [InlineData("start_at = '294276-12-31 23:59:59+00'")]
    [InlineData("end_at = '294276-12-31 23:59:59+00'")]
    [InlineData("orphaned_at = '294276-12-31 23:59:59+00'")]
    public async Task Odd_job_can_be_read_paused_resumed_and_deleted_and_hides_no_other(string odd)
    {
        var job = await GivenJobAsync();
        await GivenJobAsync(Schedule.Cron("0 0 1 1 *"), name: "other");
        await ChangeAsync("", odd, name: job.Name);
        var both = await Jobs.ListAsync(Cancellation);

        await Jobs.PauseAsync(job.Id, new PauseInfo(), Cancellation);
        await Jobs.ResumeAsync(job.Id, Cancellation);

        Assert.Equal(["other", "report"], both.Select(static one => one.Name));
        Assert.Equal(JobState.Active, (await FindJobAsync(job.Id)).State);
        Assert.Equal(2, (await WaitingRunsAsync()).Count);
        Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
        Assert.Equal("other", Assert.Single(await Jobs.ListAsync(Cancellation)).Name);
    }

    [Theory]
    [InlineData("next_run_at = '294276-12-31 23:59:59+00'")]
    [InlineData("end_at = '294276-12-31 23:59:59+00'")]
    public async Task Odd_cron_job_does_not_keep_the_plans_of_others_from_being_corrected(string odd)
    {
        await GivenJobAsync(FarAhead(await Fixture.GetTimeAsync(Cancellation)), name: "odd");
        await GivenJobAsync(FarAhead(await Fixture.GetTimeAsync(Cancellation)));
        await ChangeAsync("", odd);
        await ExecuteAsync("update jobs set time_zone = 'Asia/Tokyo' where name = 'report'");

        var corrected = await Jobs.CorrectPlansAsync(Cancellation);

        Assert.Empty(corrected.Unplannable);
        Assert.InRange(corrected.Planned, 1, 2);
        Assert.Equal(15, (await Jobs.FindByNameAsync("report", Cancellation))!.NextRunAt!.Value.UtcDateTime.Hour);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData(", start_at = clock_timestamp() + interval '3 hours'", 3)]
    public async Task Job_without_a_next_run_is_planned_at_its_start_or_now(string start, int hours)
    {
        var job = await GivenJobAsync();
        await ChangeAsync("delete from waiting; delete from entries", $"planned_entry = null, next_run_at = null{start}", job.Name);

        Assert.Equal(1, (await Jobs.RecoverJobsAsync(Cancellation)).Planned);

        var expected = (await Fixture.GetTimeAsync(Cancellation)).AddHours(hours);
        Assert.InRange((await FindJobAsync(job.Id)).NextRunAt!.Value, expected.AddMinutes(-1), expected);
    }

    [Fact]
    public async Task Job_that_could_not_be_planned_is_refused_when_it_is_written()
    {
        await GivenJobAsync();
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = $"update jobs set queue = {Long}";

        var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));

        Assert.Equal((PostgresErrorCodes.CheckViolation, "jobs_sound"), (error.SqlState, error.ConstraintName));
    }

    private async Task ThenTheOtherRunsAsync(Job job)
    {
        // A change of any column of the odd row would be refused, also of its times.
        await ExecuteAsync("alter table jobs drop constraint jobs_sound");
        await ShiftTimeAsync(Hour * 2);
        var node = GivenNode();
        var batch = await ClaimAsync(node, kinds: EntryKind);
        var entry = Assert.Single(batch.Entries, entry => ArgsOf(entry.Args).JobId == job.Id);
        Assert.Equal(
            TaskStartDecision.Started, (await StartAsync(new Run(new Held(node, entry.Id, batch.Fence), entry, job.Id, null))).Decision);
    }

    private async Task ThenPlanningGoesOnAsync(string change, string odd)
    {
        await GivenJobAsync(name: "odd");
        var job = await GivenJobAsync();
        await ChangeAsync(change, odd);

        await Jobs.RecoverJobsAsync(Cancellation);
        var second = (await Jobs.RecoverJobsAsync(Cancellation)).Planned;

        Assert.Equal(0, second);
        await ThenTheOtherRunsAsync(job);
    }

    private Task ChangeAsync(string all, string odd, string name = "odd") => ExecuteAsync($"""
        alter table jobs drop constraint jobs_sound;
        {all}; update jobs set {odd} where name = '{name}';
        alter table jobs add constraint jobs_sound check (octet_length(queue) between 1 and 100
            and octet_length(entry_kind) between 1 and 2000
            and priority between 0 and 9 and max_attempts between 1 and 1000 and (timeout is null or timeout > interval '0'
                and timeout <= interval '1080 hours' and extract(month from timeout) = 0)) not valid
        """);

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
