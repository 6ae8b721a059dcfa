using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Migrations;

/// <summary>Databases that the system before this library left behind, with a task that was running when its server died.</summary>
public sealed class LegacyUpgradeTests() : JobStoreTests(new PostgreSqlFixture())
{
    private static readonly Guid JobId = Guid.NewGuid();
    private static readonly Guid TaskId = Guid.NewGuid();

    protected override bool StartMigrated => false;

    [Fact]
    public async Task Running_task_named_by_current_task_id_at_version_2_is_recovered()
    {
        await GivenLegacyAsync(2);
        await InsertAsync("1 day", "running");
        await ExecuteAsync($"update jobs set current_task_id = '{TaskId}'");

        await ThenTheTaskIsRecoveredAsync();
    }

    [Fact]
    public async Task Running_task_without_an_entry_at_version_3_is_recovered()
    {
        await GivenLegacyAsync(3);
        await InsertAsync("1 day", "running");

        await ThenTheTaskIsRecoveredAsync();
    }

    [Theory]
    [InlineData("running")]
    [InlineData("created")]
    public async Task Unfinished_task_of_years_ago_is_closed_as_too_old(string status)
    {
        await GivenLegacyAsync(3);
        await InsertAsync("2 years", status);
        await Store.PrepareAsync(Cancellation);

        var report = await Jobs.RecoverTasksAsync(TimeSpan.FromDays(7), MaxCrashes, Cancellation);

        Assert.Equal((RecoveryAction.Closed, TaskId, EndReasons.TooOld), Assert.Single(
            report.Items.Select(item => (item.Action, item.TaskId!.Value, item.Reason))));
        Assert.Equal((TaskState.Cancelled, EndReasons.TooOld), ((await FindTaskAsync(TaskId)).State, (await FindTaskAsync(TaskId)).Reason));
        Assert.Empty(await WaitingRunsAsync());
    }

    [Theory]
    [InlineData("completed", TaskState.Completed)]
    [InlineData("failed", TaskState.Failed)]
    [InlineData("cancelled", TaskState.Cancelled)]
    public async Task Finished_task_is_left_as_it_was(string status, TaskState state)
    {
        await GivenLegacyAsync(2);
        await InsertAsync("1 day", status);
        await Store.PrepareAsync(Cancellation);

        var report = await Jobs.RecoverTasksAsync(TimeSpan.FromDays(7), MaxCrashes, Cancellation);

        Assert.Empty(report.Items);
        var task = await FindTaskAsync(TaskId);
        Assert.Equal(state, task.State);
        Assert.NotNull(task.EndedAt);
    }

    [Fact]
    public async Task Job_keeps_its_interval_and_its_due_time()
    {
        await GivenLegacyAsync(2);
        await InsertAsync("1 day", "completed");
        await Store.PrepareAsync(Cancellation);
        Assert.Null((await FindJobAsync(JobId)).NextRunAt);

        var planned = (await Jobs.RecoverJobsAsync(Cancellation)).Planned;

        var job = await FindJobAsync(JobId);
        Assert.Equal(1, planned);
        Assert.Equal(("nightly report", "report", Schedule.Every(Hour), JobState.Active), (job.Name, job.Kind, job.Schedule, job.State));
        SameJson("""{"folder":"docs"}""", job.Args);
        var run = await ClaimRunAsync(GivenNode());
        Assert.Equal((JobId, null), (run.JobId, run.TaskId));
        Assert.Equal(job.NextRunAt, (await StartAsync(run)).Task!.DueAt);
    }

    [Fact]
    public async Task Due_run_is_skipped_while_the_recovered_task_goes_on()
    {
        await GivenLegacyAsync(3);
        await InsertAsync("1 day", "running");
        await Store.PrepareAsync(Cancellation);
        await Jobs.RecoverTasksAsync(TimeSpan.FromDays(7), MaxCrashes, Cancellation);
        await Jobs.RecoverJobsAsync(Cancellation);
        var node = GivenNode();
        var batch = await ClaimAsync(node, kinds: EntryKind);
        var runs = batch.Entries.Select(
            entry => new Run(new Held(node, entry.Id, batch.Fence), entry, JobId, ArgsOf(entry.Args).TaskId)).ToArray();

        // Recovered work is first in line.
        Assert.Equal(2, runs.Length);
        var recovered = await StartAsync(runs[0]);
        var due = await StartAsync(runs[1]);

        Assert.Equal((TaskStartDecision.Recovered, TaskId), (recovered.Decision, recovered.Task!.Id));
        Assert.Equal((TaskStartDecision.Skip, EndReasons.Overlap), (due.Decision, due.Reason));
    }

    private async Task ThenTheTaskIsRecoveredAsync()
    {
        await Store.PrepareAsync(Cancellation);
        var report = await Jobs.RecoverTasksAsync(TimeSpan.FromDays(7), MaxCrashes, Cancellation);
        Assert.Equal((RecoveryAction.Recovered, TaskId), Assert.Single(report.Items.Select(item => (item.Action, item.TaskId!.Value))));

        var run = await ClaimRunAsync(GivenNode());
        var start = await StartAsync(run);
        Assert.Equal((JobId, TaskId), (run.JobId, run.TaskId!.Value));
        Assert.Equal((TaskStartDecision.Recovered, TaskId, 1), (start.Decision, start.Task!.Id, start.Task.Attempt));

        await FinishTaskAsync(run, result: "1");
        Assert.Equal(TaskState.Completed, (await FindTaskAsync(TaskId)).State);
    }

    /// <summary>The old system's own migrations, without a record of them that could be relied on.</summary>
    private async Task GivenLegacyAsync(int version)
    {
        var schema = ((PostgreSqlFixture)Fixture).QuotedSchema;
        await ExecuteAsync($"create schema {schema}");
        foreach (var migration in PostgreSqlMigrator.Known.Where(migration => migration.Version <= version))
        {
            await ExecuteAsync(migration.Text.Replace("{schema}", schema, StringComparison.Ordinal));
        }
    }

    private Task InsertAsync(string age, string status) => ExecuteAsync(
        $$"""
        insert into jobs (id, name, type, args, interval_seconds, next_run_at, created_at) values
            ('{{JobId}}', 'nightly report', 'report', '{"folder": "docs"}', 3600, now() - interval '10 minutes',
                now() - interval '{{age}}');
        insert into tasks (id, job_id, status, created_at, started_at) values
            ('{{TaskId}}', '{{JobId}}', '{{status}}', now() - interval '{{age}}', now() - interval '{{age}}');
        """);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
