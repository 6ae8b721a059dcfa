using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Jobs;

/// <summary>The starts of runs that will have a slot in a few milliseconds are requested together with those that have one.</summary>
public sealed class EarlyStartTests
{
    private const int Entries = 2_000;

    private readonly FakeQueueStore _store = new();
    private readonly ScriptedJobs _jobs = new();
    private readonly TestRun _run = new();
    private int _waiting;
    private int _mostWaiting;
    private int _running;
    private int _mostRunning;

    public EarlyStartTests()
    {
        _jobs.OnStart = (_, _) => new TaskStart(TaskStartDecision.Started, _jobs.NewTask(), _jobs.Job, null);
        _jobs.StartAnswers = async _ =>
        {
            InterlockedMax(ref _mostWaiting, Interlocked.Increment(ref _waiting));
            await Task.Yield();
            Interlocked.Decrement(ref _waiting);
        };
        _run.Do = _ =>
        {
            InterlockedMax(ref _mostRunning, Interlocked.Increment(ref _running));
            Interlocked.Decrement(ref _running);
            return Task.CompletedTask;
        };
    }

    [Fact]
    public async Task More_starts_than_slots_wait_at_once_while_runs_are_short()
    {
        var ids = AddEntries(Entries);
        await using var host = await StartAsync(prefetch: null);

        await _store.UntilEnded(ids);

        Assert.True(_mostWaiting > 1, $"{_mostWaiting} start waited at once.");
        Assert.Equal(1, _mostRunning);

        // An answer that is too old when its run gets its slot is asked for again, so there may be several.
        var starts = _jobs.Starts.ToLookup(static start => start.EntryId);
        Assert.All(ids, id => Assert.NotEmpty(starts[id]));
        Assert.All(ids, id => Assert.Equal(OutcomeKind.Completed, _store.Entry(id).Last.Kind));
    }

    [Fact]
    public async Task Nothing_starts_early_if_nothing_is_claimed_ahead()
    {
        var ids = AddEntries(100);
        await using var host = await StartAsync(prefetch: 0);

        await _store.UntilEnded(ids);

        Assert.Equal((1, 1), (_mostWaiting, _mostRunning));
    }

    [Fact]
    public async Task Entry_that_is_released_at_a_stop_waits_for_the_answer_to_its_early_start()
    {
        AddEntries(Entries);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isLate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (unanswered, startedAgain) = (new ConcurrentBag<long>(), new ConcurrentBag<long>());
        var starts = _jobs.StartAnswers;
        _jobs.StartAnswers = async request =>
        {
            if (_store.Entry(request.EntryId).Outcomes.Count > 0)
            {
                startedAgain.Add(request.EntryId);
            }

            await starts(request);
            if (_mostWaiting > 1)
            {
                unanswered.Add(request.EntryId);
                isLate.TrySetResult();
                await answer.Task;
            }
        };
        var host = await StartAsync(prefetch: null);
        await isLate.Task.WaitAsync(TestContext.Current.CancellationToken);

        var stop = host.StopAsync();
        await _store.Until(store => store.Entries.Any(static entry => entry.Kinds.Contains(OutcomeKind.Released)));
        Assert.All(unanswered, id => Assert.Empty(_store.Entry(id).Outcomes));
        answer.SetResult();
        await stop;

        Assert.Empty(startedAgain);
        Assert.All(_jobs.Starts.Select(start => _store.Entry(start.EntryId)), static entry =>
        {
            if (entry.Kinds is not [OutcomeKind.Completed])
            {
                OutcomeAssert.Released(entry);
            }
        });
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Entry_that_is_released_before_its_start_was_asked_for_does_not_wait_for_its_job()
    {
        // All outcomes of runs whose start was not answered would wait.
        var ids = AddEntries(20);
        foreach (var id in ids)
        {
            _store.Blocked.Add(id);
        }

        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _jobs.StartAnswers = _ =>
        {
            isAsked.TrySetResult();
            return answer.Task;
        };
        var host = await StartAsync(prefetch: 10);
        await isAsked.Task.WaitAsync(TestContext.Current.CancellationToken);

        // The first claim takes one entry if it is made within a millisecond.
        await _store.Until(static store => store.Entries.Count(static entry => entry.Fence is not null) > 1);

        var stop = host.StopAsync();
        await _store.Until(store => store.Entries.Any(static entry => entry.Kinds.Contains(OutcomeKind.Released)));
        _store.Blocked.Clear();
        answer.SetResult();
        await stop;
        await host.DisposeAsync();
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var known = Volatile.Read(ref most); value > known;)
        {
            known = Interlocked.CompareExchange(ref most, value, known) is var found && found == known ? value : found;
        }
    }

    private long[] AddEntries(int count)
        => [.. Enumerable.Range(0, count).Select(_ => _store.Add("task:test.work", $$"""{"jobId":"{{_jobs.Job.Id}}","taskId":null}"""))];

    private Task<WorkHost> StartAsync(int? prefetch)
        => WorkHost.StartAsync(
            _store,
            builder =>
            {
                builder.Services.AddSingleton(_run);
                builder.Services.AddSingleton(WorkHost.PatientStop);
                builder.Services.AddSingleton<IJobStore>(_jobs);
                builder.AddTaskHandler<TestArgs, TestHandler>();
                builder.AddQueue("default", 1, prefetch);
            },
            static options => options.ShutdownTimeout = TimeSpan.FromMinutes(1));
}
