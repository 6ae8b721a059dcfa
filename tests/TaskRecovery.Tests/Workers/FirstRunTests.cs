using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Jobs;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Which runs read the steps and the checkpoint of earlier ones.</summary>
public sealed class FirstRunTests
{
    private readonly FakeQueueStore _store = new() { KnowsFirstRuns = true };
    private readonly TestWork _work = new();

    [Fact]
    public async Task An_entry_that_was_never_claimed_before_needs_no_read_and_a_later_attempt_does()
    {
        var runs = new List<string>();
        var reads = new List<int>();
        _work.Do = async (context, cancellationToken) =>
        {
            await context.StepAsync("first", _ => Run("first"), cancellationToken);
            await context.StepAsync("second", _ => Run("second"), cancellationToken);
            reads.Add(_store.CallsOf("load progress"));
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("after the steps");
            }

            Task Run(string step)
            {
                runs.Add(step);
                return Task.CompletedTask;
            }
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["first", "second"], runs);
        Assert.Equal([0, 1], reads);
    }

    [Fact]
    public async Task A_task_that_has_just_been_created_needs_no_read_and_one_that_runs_again_does()
    {
        var (jobs, run, reads) = (new ScriptedJobs(), new TestRun(), new List<int>());
        jobs.OnStart = (request, _) => new TaskStart(
            request.TaskId is null ? TaskStartDecision.Started : TaskStartDecision.Recovered, jobs.NewTask(), jobs.Job, null);
        run.Do = async context =>
        {
            await context.StepAsync("first", static _ => Task.CompletedTask);
            reads.Add(_store.CallsOf("load progress"));
        };
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(run);
            builder.Services.AddSingleton<IJobStore>(jobs);
            builder.AddTaskHandler<TestArgs, TestHandler>();
        });

        await _store.UntilEnded(AddRun(jobs, "null"));
        await _store.UntilEnded(AddRun(jobs, $"\"{Guid.NewGuid()}\""));

        Assert.Equal([0, 1], reads);
    }

    private long AddRun(ScriptedJobs jobs, string taskId)
        => _store.Add("task:test.work", $$"""{"jobId":"{{jobs.Job.Id}}","taskId":{{taskId}}}""");
}
