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
        await ExecuteAsync($"delete from unfinished_tasks where job_id = '{job.Id}'");
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
