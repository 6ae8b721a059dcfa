using System.Text.Json;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>Base class of the tests of jobs and tasks.</summary>
public abstract class JobStoreTests(StoreFixture fixture) : StoreTests(fixture)
{
    protected const string EntryKind = "task:report";

    protected static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    protected static NewJob NewJob(
        string name = "report", Schedule? schedule = null, Func<JobDefinition, JobDefinition>? configure = null,
        string args = """{"a":1}""", string kind = "report")
    {
        var definition = new JobDefinition(name, schedule ?? Schedule.Every(Hour));
        return new NewJob(configure?.Invoke(definition) ?? definition, kind, "task:" + kind, Json(args), 10);
    }

    protected Task<Job> GivenJobAsync(
        Schedule? schedule = null, Func<JobDefinition, JobDefinition>? configure = null, string name = "report")
        => Jobs.UpsertAsync(NewJob(name, schedule, configure), Cancellation);

    /// <summary>A schedule whose next run neither a shift by some minutes nor another time zone moves to another month: on the first of the
    /// month after the next.</summary>
    protected static Schedule FarAhead(DateTimeOffset now, int hour = 0) => Schedule.Cron($"0 {hour} 1 {now.AddMonths(2).Month} *");

    protected async Task<Job> FindJobAsync(Guid jobId)
    {
        var job = await Jobs.FindAsync(jobId, Cancellation);
        Assert.NotNull(job);
        return job;
    }

    protected async Task<TaskRecord> FindTaskAsync(Guid taskId)
    {
        var task = await Jobs.FindTaskAsync(taskId, Cancellation);
        Assert.NotNull(task);
        return task;
    }

    /// <summary>Returns the waiting entries of jobs, oldest first.</summary>
    protected async Task<IReadOnlyList<QueueEntry>> WaitingRunsAsync()
        => [.. (await Store.ListAsync(
            new EntryFilter { Kind = EntryKind, State = EntryState.Waiting, Limit = 1000 }, Cancellation)).Entries.Reverse()];

    protected static IntervalJobArgs ArgsOf(ReadOnlyMemory<byte> args)
        => JsonSerializer.Deserialize<IntervalJobArgs>(args.Span, JsonSerializerOptions.Web)!;

    /// <summary>Claims the only run that is due.</summary>
    protected static async Task<Run> ClaimRunAsync(TestNode node, string queue = DefaultQueue)
        => Assert.Single(await ClaimRunsAsync(node, queue));

    /// <summary>Claims all runs that are due.</summary>
    protected static async Task<List<Run>> ClaimRunsAsync(TestNode node, string queue = DefaultQueue)
    {
        var batch = await ClaimAsync(node, queue: queue, kinds: EntryKind);
        return [.. batch.Entries.Select(entry =>
        {
            var args = ArgsOf(entry.Args);
            return new Run(new Held(node, entry.Id, batch.Fence), entry, args.JobId, args.TaskId, args.DueAt, args.Overlap, args.IsPlanned);
        })];
    }

    protected Task<TaskStart> StartAsync(Run run)
        => Jobs.StartTaskAsync(
            new TaskStartRequest(
                run.Held.Node.Id, run.Held.Id, run.Held.Fence, run.JobId, run.TaskId,
                run.Entry.Attempt, run.Entry.Kind, run.DueAt, run.Overlap, run.IsPlanned), Cancellation);

    /// <summary>Claims the only run that is due and starts its task.</summary>
    protected async Task<(Run Run, TaskRecord Task)> GivenRunningTaskAsync(TestNode node)
    {
        var run = await ClaimRunAsync(node);
        var start = await StartAsync(run);
        Assert.Equal(TaskStartDecision.Started, start.Decision);
        Assert.NotNull(start.Task);
        return (run, start.Task);
    }

    protected Task FinishTaskAsync(
        Run run, OutcomeKind kind = OutcomeKind.Completed, string? result = null,
        string? error = null, string? reason = null, TimeSpan delay = default)
        => FinishAsync(run.Held, kind, result, error, reason, delay, isTask: true);

    /// <summary>A claimed entry of a job's run.</summary>
    protected sealed record Run(
        Held Held, ClaimedEntry Entry, Guid JobId, Guid? TaskId, DateTimeOffset? DueAt = null, OverlapPolicy? Overlap = null,
        bool IsPlanned = false);
}
