using System.Data.Common;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>The table of unfinished tasks, when something else than the library wrote to it or to the tasks.</summary>
public sealed class UnfinishedTaskTests() : JobStoreTests(new PostgreSqlFixture())
{
    [Fact]
    public async Task Task_that_was_moved_to_another_job_is_unfinished_there_alone()
    {
        var job = await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        var other = await GivenJobAsync(name: "other");

        await ExecuteAsync($"update tasks set job_id = '{other.Id}'");

        Assert.Empty(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
        Assert.Equal(task.Id, Assert.Single(await Jobs.ListIncompleteTasksAsync(other.Id, Cancellation)).Id);
        Assert.Equal(
            [$"task {task.Id} does not exist in job {job.Id}, but is listed as unfinished"],
            await Store.CheckInvariantsAsync(Cancellation));
        Assert.Equal(1L, await RepairAsync());
    }

    [Fact]
    public async Task Task_whose_row_is_missing_is_found_after_the_repair()
    {
        var job = await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        await ExecuteAsync("truncate unfinished_tasks");

        var violations = await Store.CheckInvariantsAsync(Cancellation);
        var repaired = await RepairAsync();

        Assert.Equal([$"task {task.Id} is unfinished, but not listed as such"], violations);
        Assert.Equal(1L, repaired);
        Assert.Equal(task.Id, Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Id);
        Assert.Equal(0L, await RepairAsync());
    }

    [Fact]
    public async Task Task_whose_row_is_missing_is_listed_when_it_starts_again()
    {
        var (node, job) = (GivenNode(), await GivenJobAsync());
        var (run, task) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Retried, error: "boom");
        await ExecuteAsync("truncate unfinished_tasks");

        await StartAsync(await ClaimRunAsync(node));

        Assert.Equal(task.Id, Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Id);
    }

    [Fact]
    public async Task Repair_removes_rows_of_tasks_that_have_ended_or_do_not_exist()
    {
        var job = await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await FinishTaskAsync(run);
        await ExecuteAsync("insert into unfinished_tasks (job_id, task) select job_id, id from tasks");
        await ExecuteAsync($"insert into unfinished_tasks (job_id, task) values ('{job.Id}', gen_random_uuid())");

        var repaired = await RepairAsync();

        Assert.Equal(2L, repaired);
        Assert.Equal(0L, await ScalarAsync("select count(*) from unfinished_tasks"));
    }

    [Fact]
    public async Task Repair_waits_for_no_task_that_is_being_changed()
    {
        var job = await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        await ExecuteAsync("truncate unfinished_tasks");
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(connection, "update tasks set error = 'boom'");

        var repaired = await RepairAsync();
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(0L, repaired);
        Assert.Equal(task.Id, Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Id);
    }

    [Fact]
    public async Task Restore_of_the_data_alone_may_bring_the_list_before_the_tasks()
    {
        var job = await GivenJobAsync();
        var (_, task) = await GivenRunningTaskAsync(GivenNode());
        await ExecuteAsync("create table saved as select * from tasks; delete from tasks");

        await ExecuteAsync("insert into unfinished_tasks (job_id, task) select job_id, id from saved");
        await ExecuteAsync("insert into tasks select * from saved; drop table saved");

        Assert.Equal(task.Id, Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation)).Id);
    }

    [Fact]
    public async Task Row_of_a_task_that_has_ended_is_removed_with_the_task()
    {
        await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await FinishTaskAsync(run);
        await ExecuteAsync("insert into unfinished_tasks (job_id, task) select job_id, id from tasks");

        await ExecuteAsync("delete from tasks");

        Assert.Equal(0L, await ScalarAsync("select count(*) from unfinished_tasks"));
    }

    private Task<long> RepairAsync() => ScalarAsync("select repair_unfinished_tasks()");

    private async Task<long> ScalarAsync(string statement)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await ExecuteAsync(connection, statement);
    }

    private static async Task ExecuteAsync(DbConnection connection, string statement)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
