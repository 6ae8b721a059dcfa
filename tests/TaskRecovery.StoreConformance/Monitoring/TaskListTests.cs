using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Pages of tasks.</summary>
public abstract class TaskListTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task Tasks_are_listed_newest_first_in_pages()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var tasks = new List<Guid>();
        for (var round = 0; round < 5; round++)
        {
            var (run, task) = await GivenRunningTaskAsync(node);
            await FinishTaskAsync(run, round == 2 ? OutcomeKind.Failed : OutcomeKind.Completed);
            tasks.Add(task.Id);
            await ShiftTimeAsync(Hour);
        }

        tasks.Reverse();
        var first = await ListAsync(new TaskQuery { JobId = job.Id, Limit = 3 });
        var second = await ListAsync(new TaskQuery { JobId = job.Id, Limit = 3, Before = first.NextBefore });
        var all = await ListAsync(new TaskQuery());
        var failed = await ListAsync(new TaskQuery { State = TaskState.Failed });
        var near = await ListAsync(new TaskQuery { State = TaskState.Failed, LookAtMost = 2 });
        var none = await ListAsync(new TaskQuery { JobId = Guid.NewGuid() });

        Assert.Equal(tasks[..3], first.Tasks.Select(task => task.Id));
        Assert.False(first.IsComplete);
        Assert.Equal(tasks[3..], second.Tasks.Select(task => task.Id));
        Assert.True(second.IsComplete);
        Assert.Equal(tasks, all.Tasks.Select(task => task.Id));
        Assert.Equal([tasks[2]], failed.Tasks.Select(task => task.Id));
        Assert.Equal((0, tasks[1], false), (near.Tasks.Count, near.NextBefore!.Value, near.IsComplete));
        Assert.Empty(none.Tasks);
    }

    private async Task<TaskPage> ListAsync(TaskQuery query) => await Monitor.ListTasksAsync(query, Cancellation);
}
