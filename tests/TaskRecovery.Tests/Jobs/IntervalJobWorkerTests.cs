using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

public sealed class IntervalJobWorkerTests
{
    private readonly FakeQueueStore _store = new();
    private readonly ScriptedJobs _jobs = new();
    private readonly TestRun _run = new();
    private int _runs;

    [Fact]
    public async Task New_run_gives_the_handler_the_jobs_args_and_its_task()
    {
        var task = _jobs.NewTask();
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Started, task, _jobs.Job, null);
        (Guid, string, Guid, DateTimeOffset?, int, string)? seen = null;
        _run.Do = context =>
        {
            seen = (context.JobId, context.JobName, context.TaskId, context.DueAt, context.Args.Number, context.Kind);
            context.SetResult("done");
            return Task.CompletedTask;
        };
        await using var host = await StartAsync();

        var id = AddEntry();
        await _store.UntilEnded(id);

        Assert.Equal((_jobs.Job.Id, "digest", task.Id, DateTimeOffset.UnixEpoch, 7, "task:test.work"), seen);
        Assert.Equal((OutcomeKind.Completed, true), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.IsTask));
        Assert.Equal("\"done\"", _store.Entry(id).Result);
        Assert.Equal((id, _jobs.Job.Id, null, 1), Assert.Single(
            _jobs.Starts.Select(start => (start.EntryId, start.JobId, start.TaskId, start.Attempt))));
    }

    [Fact]
    public async Task Entry_of_a_recovery_names_its_task()
    {
        var task = _jobs.NewTask();
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Recovered, task, _jobs.Job, null);
        await using var host = await StartAsync();

        var id = AddEntry(task.Id);
        await _store.UntilEnded(id);

        Assert.Equal(task.Id, Assert.Single(_jobs.Starts).TaskId);
        Assert.Equal(OutcomeKind.Completed, _store.Entry(id).Last.Kind);
    }

    [Theory]
    [InlineData(EndReasons.Overlap)]
    [InlineData(EndReasons.JobNotActive)]
    [InlineData(EndReasons.TaskFinished)]
    public async Task Run_that_does_not_start_ends_its_entry_with_the_reason(string reason)
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Skip, null, _jobs.Job, reason);
        await using var host = await StartAsync();

        var id = AddEntry();
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Cancelled, reason, 0), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason, _runs));
    }

    [Fact]
    public async Task Entry_that_is_no_longer_its_tasks_ends_as_superseded()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Superseded, null, _jobs.Job, EndReasons.Superseded);
        await using var host = await StartAsync();

        var id = AddEntry(Guid.NewGuid());
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Superseded, 0), (_store.Entry(id).Last.Kind, _runs));
    }

    [Fact]
    public async Task Run_that_waits_is_snoozed_for_15_seconds_if_the_store_says_no_time()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Wait, null, _jobs.Job, null);
        await using var host = await StartAsync();

        var id = AddEntry();
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Snoozed, TimeSpan.FromSeconds(15), 0), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Delay, _runs));
    }

    [Fact]
    public async Task Run_that_waits_is_snoozed_for_the_time_that_the_store_says()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Wait, null, _jobs.Job, null, WaitFor: TimeSpan.FromMinutes(7));
        await using var host = await StartAsync();

        var id = AddEntry();
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Snoozed, TimeSpan.FromMinutes(7), 0), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Delay, _runs));
    }

    [Fact]
    public async Task Missed_runs_that_are_not_made_up_for_are_logged_with_their_number()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Skip, null, _jobs.Job, EndReasons.Missed, Dropped: 48);
        await using var host = await StartAsync();

        await _store.UntilEnded(AddEntry());

        Assert.StartsWith(
            "Missed runs of job digest are not made up for (48)", Assert.Single(host.Log.Lines, line => line.Id == 4009).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_that_a_person_must_repair_at_the_start_does_not_spend_an_attempt()
    {
        _jobs.OnStart = (_, _) => throw new StoreConfigurationException("The password is wrong.");
        await using var host = await StartAsync();

        var id = AddEntry(maxAttempts: 1);
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Snoozed, TimeSpan.FromMinutes(1), 0), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Delay, _runs));
    }

    [Fact]
    public async Task Store_that_is_away_at_the_start_does_not_spend_an_attempt()
    {
        _jobs.OnStart = (_, call) => call == 1
            ? throw new StoreUnavailableException("away")
            : new TaskStart(TaskStartDecision.Started, _jobs.NewTask(), _jobs.Job, null);
        await using var host = await StartAsync();

        var id = AddEntry(maxAttempts: 1);
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Snoozed, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Equal([1, 1], _jobs.Starts.Select(start => start.Attempt));
    }

    [Fact]
    public async Task Outcome_of_a_run_whose_start_was_not_answered_waits_for_its_job_and_no_other_outcome_does()
    {
        _store.Blocked.Add(1);
        _jobs.OnStart = (start, _) => start.EntryId == 1
            ? throw new StoreUnavailableException("away")
            : new TaskStart(TaskStartDecision.Started, _jobs.NewTask(), _jobs.Job, null);
        await using var host = await StartAsync();

        var locked = AddEntry();
        await _store.Until(store => store.CallsOf("find blocked") > 0);
        var other = AddEntry();
        await _store.UntilEnded(other);

        Assert.Equal(1, locked);
        Assert.Empty(_store.Entry(locked).Outcomes);
        _store.Blocked.Clear();
        await _store.Until(store => store.Entry(locked).Outcomes.Count > 0);
        Assert.Equal(OutcomeKind.Snoozed, _store.Entry(locked).Kinds[0]);
    }

    [Fact]
    public async Task Job_args_that_cannot_be_read_end_the_task_as_invalid_when_its_attempts_are_out()
    {
        _jobs.Job = _jobs.Job with { Args = """{"number":"seven"}""" };
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Started, _jobs.NewTask(), _jobs.Job, null);
        await using var host = await StartAsync();

        var id = AddEntry(maxAttempts: 1);
        await _store.UntilEnded(id);

        Assert.Equal(
            (OutcomeKind.Failed, EndReasons.InvalidArgs, true),
            (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason, _store.Entry(id).Last.IsTask));
        Assert.Contains("$.number", _store.Entry(id).Last.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entry_that_names_no_job_is_invalid()
    {
        await using var host = await StartAsync();

        var id = _store.Add("task:test.work", """{"jobId":"none"}""", entry => entry.Stored = entry.Stored with { MaxAttempts = 1 });
        await _store.UntilEnded(id);

        Assert.Equal((OutcomeKind.Failed, EndReasons.InvalidArgs), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Reason));
        Assert.Empty(_jobs.Starts);
    }

    [Fact]
    public async Task Handlers_own_wait_before_the_next_attempt_is_used()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Started, _jobs.NewTask(), _jobs.Job, null);
        _run.Do = static _ => throw new InvalidOperationException("not yet");
        await using var host = await StartAsync();

        var id = AddEntry();
        await _store.Until(store => store.Entry(id).Outcomes.Count == 1);

        Assert.Equal((OutcomeKind.Retried, TimeSpan.FromHours(1)), (_store.Entry(id).Last.Kind, _store.Entry(id).Last.Delay));
    }

    private long AddEntry(Guid? taskId = null, int maxAttempts = 10)
        => _store.Add("task:test.work", $$"""{"jobId":"{{_jobs.Job.Id}}","taskId":{{(taskId is { } id ? $"\"{id}\"" : "null")}}}""", entry
            => entry.Stored = entry.Stored with { MaxAttempts = maxAttempts });

    private Task<WorkHost> StartAsync()
    {
        var handle = _run.Do;
        _run.Do = context =>
        {
            _runs++;
            return handle(context);
        };
        return WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_run);
            builder.Services.AddSingleton<IJobStore>(_jobs);
            builder.AddTaskHandler<TestArgs, TestHandler>();
        });
    }
}
