using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Jobs;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Loggers and listeners that throw, and exceptions that can't be read: nothing of it may cost an outcome or a loop.</summary>
public sealed class ListenerFailureTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task A_logger_that_throws_costs_no_outcome_and_no_loop()
    {
        _work.Do = (context, _) => context.Attempt < 3 ? throw new InvalidOperationException("again") : Task.CompletedTask;
        await using var host = await StartAsync();
        host.Log.OnLine = _ => throw new InvalidOperationException("The sink writes to the same database.");
        var failures = 0;
        _store.OnCall = name =>
        {
            if (name is "claim" or "finish" or "poll" && Interlocked.Increment(ref failures) < 10)
            {
                throw new StoreUnavailableException("gone for a moment");
            }
        };

        var ids = new List<long>();
        for (var number = 0; number < 50; number++)
        {
            ids.Add((await host.Queue.EnqueueAsync(new TestArgs(number))).Id);
        }

        await _store.UntilEnded([.. ids]);
        host.Log.OnLine = null;

        Assert.All(ids, id => Assert.Equal([OutcomeKind.Retried, OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds));
    }

    [Fact]
    public async Task A_logger_that_throws_keeps_no_node_from_starting()
    {
        var jobs = new ScriptedJobs
        {
            Recovery = new JobRecovery(1, [new UnplannableJob("digest", "no such time zone")]),
            Correction = new JobRecovery(1, []),
            TaskReport = RecoveryUnderTest.Report(RecoveryAction.Recovered, Guid.NewGuid()),
            Declared = { new DeclaredJob("gone", "digest of gone", IsOrphaned: false) },
        };
        await using var host = WorkHost.Create(_store, builder => Register(builder, jobs).AddIntervalJob(
            "mails", TimeSpan.FromHours(1), new TestArgs()));
        var failed = ThrowFrom(host.Log);

        await host.StartAsync();
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);
        host.Log.OnLine = null;

        Assert.Equal(["gone"], jobs.Orphaned);
        Assert.Superset(new HashSet<int> { 3060, 3063, 4001, 4005, 4006, 4007 }, failed.ToHashSet());
    }

    [Fact]
    public async Task A_logger_that_throws_costs_no_run_of_a_job()
    {
        var jobs = new ScriptedJobs();
        jobs.OnStart = (_, call) => call == 1
            ? new TaskStart(TaskStartDecision.Recovered, jobs.NewTask(crashes: 1), jobs.Job, null, Dropped: 3)
            : new TaskStart(TaskStartDecision.Wait, null, jobs.Job, "no such time zone");
        await using var host = await WorkHost.StartAsync(_store, builder => Register(builder, jobs));
        var failed = ThrowFrom(host.Log);

        long[] ids = [AddRun(jobs.Job.Id), AddRun(jobs.Job.Id)];
        await _store.Until(store => ids.All(id => store.Entry(id).Outcomes.Count == 1));
        host.Log.OnLine = null;

        Assert.Equivalent(new[] { OutcomeKind.Completed, OutcomeKind.Snoozed }, ids.Select(id => _store.Entry(id).Last.Kind), strict: true);
        Assert.Superset(new HashSet<int> { 4004, 4006, 4009 }, failed.ToHashSet());
    }

    [Fact]
    public async Task A_listener_to_activities_that_throws_costs_no_outcome()
    {
        const string Queue = "throwing"; // Of this test only: others run beside it.
        var thrown = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TaskRecoveryDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
            {
                if (options.Name != $"process {Queue}")
                {
                    return ActivitySamplingResult.None;
                }

                Interlocked.Increment(ref thrown);
                throw new InvalidOperationException("no sample");
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await StartAsync(concurrency: 1, Queue);
        var options = new EnqueueOptions { Queue = Queue };

        var first = (await host.Queue.EnqueueAsync(new TestArgs(1), options)).Id;
        var second = (await host.Queue.EnqueueAsync(new TestArgs(2), options)).Id;
        await _store.UntilEnded(first, second);

        Assert.Equal(2, thrown);
        Assert.All([first, second], id => Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds));
    }

    [Theory]
    [InlineData("sample")]
    [InlineData("start")]
    [InlineData("stop")]
    [InlineData("measurement")]
    public async Task A_listener_that_throws_makes_no_stored_enqueue_look_failed(string at)
    {
        const string Name = "send to-listener"; // Of this test only: others run beside it.
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TaskRecoveryDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options)
                => options.Name != Name ? ActivitySamplingResult.None
                    : at == "sample" ? throw new InvalidOperationException("no sample") : ActivitySamplingResult.AllData,
            ActivityStarted = activity => ThrowIf(at == "start" && activity.OperationName == Name),
            ActivityStopped = activity => ThrowIf(at == "stop" && activity.OperationName == Name),
        };
        ActivitySource.AddActivityListener(activities);
        await using var host = await StartAsync();
        var meter = host.Services.GetRequiredService<Metrics>().Meter;
        using var measurements = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter) && instrument.Name == TaskRecoveryDiagnostics.Enqueued)
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        measurements.SetMeasurementEventCallback<long>((_, _, _, _) => ThrowIf(at == "measurement"));
        measurements.Start();
        var options = new EnqueueOptions { Queue = "to-listener" };

        await host.Queue.EnqueueAsync(new TestArgs(), options);
        await host.Queue.EnqueueAsync(new TestArgs(), new FakeTransaction(), options);
        await host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new TestArgs(), options)]);

        Assert.Equal(3, _store.Entries.Count);
    }

    [Fact]
    public async Task An_exception_whose_text_throws_is_a_failed_attempt_as_any_other()
    {
        _work.Do = (context, _) => context.Attempt == 1 ? throw new UnreadableException() : Task.CompletedTask;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Retried, OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Contains(nameof(UnreadableException), _store.Entry(id).Outcomes[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_s_text_that_was_cut_in_the_middle_of_a_character_is_stored_without_its_half()
    {
        _work.Do = (context, _) => context.Attempt == 1 ? throw new InvalidOperationException("smile: \uD83D") : Task.CompletedTask;
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Contains("smile: \uFFFD", _store.Entry(id).Outcomes[0].Error, StringComparison.Ordinal);
    }

    private static void ThrowIf(bool isThere)
    {
        if (isThere)
        {
            throw new InvalidOperationException("The listener fails.");
        }
    }

    // The host's own messages have low ids, and it does not survive a logger that throws.
    private static ConcurrentBag<int> ThrowFrom(WorkLog log)
    {
        var failed = new ConcurrentBag<int>();
        log.OnLine = id =>
        {
            if (id >= 1_000)
            {
                failed.Add(id);
                throw new InvalidOperationException("The sink writes to the same database.");
            }
        };
        return failed;
    }

    private TaskRecoveryBuilder Register(TaskRecoveryBuilder builder, ScriptedJobs jobs)
    {
        builder.Services.AddSingleton(_work);
        builder.Services.AddSingleton(new TestRun());
        builder.Services.AddSingleton<IJobStore>(jobs);
        return builder.AddWorker<TestArgs, TestWorker>().AddTaskHandler<TestArgs, TestHandler>();
    }

    private long AddRun(Guid job)
        => _store.Add(
            "task:test.work", $$"""{"jobId":"{{job}}","taskId":null}""",
            entry => entry.Stored = entry.Stored with { MaxAttempts = 1 });

    private Task<WorkHost> StartAsync(int? concurrency = null, string queue = "default") => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
        builder.AddQueue(queue, concurrency);
    });

    private sealed class UnreadableException : Exception
    {
        public override string Message => throw new InvalidOperationException("not even its message");
    }
}
