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
        var near = await ListAsync(new TaskQuery { State = TaskState.Failed, MaxExamined = 2 });
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

    [Fact]
    public async Task The_last_tasks_of_a_job_are_found_whatever_the_other_jobs_do()
    {
        var node = GivenNode();
        var rare = await GivenJobAsync(name: "rare");
        var (old, oldTask) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(old, OutcomeKind.Failed, error: "boom");
        Assert.True(await Jobs.DeleteAsync(rare.Id, Cancellation));
        var often = await GivenJobAsync(name: "often");
        var tasks = new List<Guid>();
        for (var round = 0; round < 5; round++)
        {
            await ShiftTimeAsync(Hour);
            var (run, task) = await GivenRunningTaskAsync(node);
            await FinishTaskAsync(run);
            tasks.Insert(0, task.Id);
        }

        var last = await Monitor.ListLastTasksAsync(
            new LastTasksQuery { JobIds = [often.Id, rare.Id, Guid.NewGuid(), often.Id], Limit = 3 }, Cancellation);

        Assert.Equal(tasks[..3], last.Where(task => task.JobId == often.Id).Select(task => task.Id));
        var found = Assert.Single(last, task => task.JobId == rare.Id);
        Assert.Equal((oldTask.Id, TaskState.Failed, true, true), (found.Id, found.State, found.Result is null, found.Error is null));
        Assert.Equal(4, last.Count);
    }

    [Fact]
    public async Task A_task_is_found_only_with_a_scope_that_admits_its_job()
    {
        var job = await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(GivenNode());
        await FinishTaskAsync(run, result: "7");
        EntryScope[] admitting =
        [
            new(), new() { Queues = ["other", job.Queue] }, new() { Kinds = [EntryKind] },
            new() { Queues = [job.Queue], Kinds = ["task:other", EntryKind] },
        ];
        EntryScope[] others =
        [
            new() { Queues = ["other"] }, new() { Queues = [] }, new() { Kinds = [job.Kind] }, new() { Kinds = [] },
            new() { Queues = [job.Queue], Kinds = ["task:other"] }, new() { Queues = ["other"], Kinds = [EntryKind] },
            new() { Queues = [job.Queue], Metadata = new("tenant", "7") },
        ];

        foreach (var scope in admitting)
        {
            Assert.Equal("7", (await Monitor.FindTaskAsync(task.Id, scope, Cancellation))?.Result);
        }

        foreach (var scope in others)
        {
            Assert.Null(await Monitor.FindTaskAsync(task.Id, scope, Cancellation));
        }

        Assert.Null(await Monitor.FindTaskAsync(Guid.NewGuid(), scope: null, Cancellation));
        Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
        Assert.Equal(job.Id, (await Monitor.FindTaskAsync(task.Id, scope: null, Cancellation))?.JobId);
        Assert.Null(await Monitor.FindTaskAsync(task.Id, new EntryScope(), Cancellation));
    }

    private async Task<TaskPage> ListAsync(TaskQuery query) => await Monitor.ListTasksAsync(query, Cancellation);
}
