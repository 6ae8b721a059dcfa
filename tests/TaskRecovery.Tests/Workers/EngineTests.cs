using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>Claimers, executors and everything around a run.</summary>
public sealed class EngineTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task Middleware_runs_around_the_worker_in_the_order_of_registration()
    {
        var journal = new Journal();
        _work.Do = (_, _) =>
        {
            journal.Add("worker");
            return Task.CompletedTask;
        };
        await using var host = await StartAsync(builder =>
        {
            builder.Services.AddSingleton(journal);
            builder.AddMiddleware<OuterMiddleware>().AddMiddleware<InnerMiddleware>();
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.UntilEnded(id);

        Assert.Equal(["outer before", "inner before", "worker", "inner after", "outer after"], journal.Lines);
    }

    [Fact]
    public async Task Each_entry_has_a_scope_of_its_own_that_is_disposed_of()
    {
        var seen = new Journal();
        _work.Do = (context, _) =>
        {
            context.Services.GetRequiredService<Scoped>().Note = context.Args.Number.ToString(
                System.Globalization.CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        };
        await using var host = await StartAsync(builder =>
        {
            builder.Services.AddSingleton(seen);
            builder.Services.AddScoped<Scoped>();
        });

        var results = await host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new TestArgs(1)), EnqueueRequest.Create(new TestArgs(2))]);
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.Equal(["disposed 1", "disposed 2"], seen.Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_more_entries_run_at_a_time_than_the_queue_allows()
    {
        var running = 0;
        var most = 0;
        _work.Do = async (_, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
        };
        await using var host = await StartAsync(builder => builder.AddQueue("default", concurrency: 3));

        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(0, 500).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task A_delayed_entry_runs_when_it_is_due_without_waiting_for_a_hint()
    {
        await using var host = await StartAsync();

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { RunAfter = TimeSpan.FromMilliseconds(60) });
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task An_entry_of_another_process_is_found_by_its_hint_and_by_the_poll()
    {
        await using var host = await StartAsync();
        await _store.Until(store => store.CallsOf("listen") > 0);

        var hinted = _store.Add("test.work", "{}");
        _store.Hint(StoreHintKind.Work, "default");
        await _store.UntilEnded(hinted);
        var polled = _store.Add("test.work", "{}");
        await _store.UntilEnded(polled);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(polled).Kinds);
    }

    [Fact]
    public async Task An_unknown_kind_waits_and_is_named_once()
    {
        var unknown = _store.Add("nobody.knows", "{}");
        await using var host = await StartAsync();

        await _store.Until(store => store.CallsOf("poll") > 40);

        Assert.True(_store.Entry(unknown).IsWaiting);
        Assert.Equal(1, host.Log.Count(1004));
    }

    [Fact]
    public async Task Two_hosts_in_one_process_do_not_disturb_each_other()
    {
        var other = new FakeQueueStore();
        await using var first = await StartAsync();
        await using var second = await WorkHost.StartAsync(other, builder => builder.AddWorker<OtherArgs, OtherWorker>());

        var (ours, _) = await first.Queue.EnqueueAsync(new TestArgs());
        var (theirs, _) = await second.Queue.EnqueueAsync(new OtherArgs(1));
        await _store.UntilEnded(ours);
        await other.UntilEnded(theirs);

        Assert.Single(_store.Entries);
        Assert.Single(other.Entries);
        Assert.Null(second.Services.GetRequiredService<KindRegistry>().Find("test.work"));
    }

    [Fact]
    public async Task A_process_without_workers_enqueues_and_claims_nothing()
    {
        await using var host = await WorkHost.StartAsync(_store, builder => builder.AddKind<TestArgs>());

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());

        Assert.True(_store.Entry(id).IsWaiting);
        Assert.Equal(0, _store.CallsOf("claim"));
        Assert.Equal(0, _store.CallsOf("register"));
    }

    [Fact]
    public async Task A_handler_that_ignores_its_token_is_reported_and_keeps_its_place()
    {
        var finish = new TaskCompletionSource();
        _work.Do = (_, _) => finish.Task;
        await using var host = await StartAsync(builder => builder.AddQueue("default", concurrency: 1));

        var (deaf, _) = await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { Timeout = TimeSpan.FromMilliseconds(1) });
        var (next, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(_ => host.Log.Count(2004) == 1);

        var handler = Assert.Single(host.Services.GetRequiredService<IUnresponsiveHandlers>().List());
        Assert.Equal((deaf, "test.work", StopReason.TimedOut), (handler.EntryId, handler.Kind, handler.Reason));
        Assert.Empty(_store.Entry(next).Outcomes);
        finish.SetResult();
        await _store.Until(store => store.Entry(next).IsEnded);
        Assert.Empty(host.Services.GetRequiredService<IUnresponsiveHandlers>().List());
    }

    [Fact]
    public async Task The_trace_of_the_caller_goes_on_in_the_handler_and_metadata_travels_along()
    {
        Activity? handler = null;
        IReadOnlyDictionary<string, string>? metadata = null;
        _work.Do = (context, _) =>
        {
            handler = Activity.Current;
            metadata = context.Metadata;
            return Task.CompletedTask;
        };
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == TaskRecoveryDiagnostics.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await StartAsync();
        using var caller = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C).Start();

        var (id, _) = await host.Queue.EnqueueAsync(
            new TestArgs(), new EnqueueOptions { Metadata = new Dictionary<string, string> { ["tenant"] = "blue" } });
        await _store.UntilEnded(id);

        Assert.Equal(caller.TraceId, handler?.TraceId);
        Assert.Equal("blue", metadata?["tenant"]);
    }

    [Fact]
    public async Task Outcomes_that_come_together_are_stored_together()
    {
        await using var host = await StartAsync(builder => builder.AddQueue("default", concurrency: 100, prefetch: 400));

        var results = await host.Queue.EnqueueManyAsync(
            Enumerable.Range(0, 2_000).Select(number => EnqueueRequest.Create(new TestArgs(number))));
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.Equal(2_000, _store.Flushes.Sum());
        Assert.InRange(_store.Flushes.Count, 1, 1_000);
    }

    /// <summary>The poll was answered with a cancel request; before that is taken in, the entry ends, an operator retries it, and it runs
    /// here again.</summary>
    [Fact]
    public async Task A_cancel_request_does_not_reach_the_run_of_an_entry_that_was_retried_since()
    {
        var (started, finish, again, stopped) =
            (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource<StopReason>());
        var takenIn = new TaskCompletionSource();
        _work.Do = async (context, _) =>
        {
            if (started.TrySetResult())
            {
                await finish.Task;
                return;
            }

            again.SetResult();
            await takenIn.Task;
            stopped.SetResult(context.StopReason);
        };
        await using var host = await StartAsync();
        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await started.Task;
        var entry = _store.Entry(id);
        _store.OnCall = name =>
        {
            if (name == "poll" && again.Task.IsCompleted)
            {
                takenIn.TrySetResult();
            }

            if (name == "poll answer" && entry.CancelRequested)
            {
                finish.SetResult();
                Assert.True(SpinWait.SpinUntil(() => entry.IsEnded, TimeSpan.FromMinutes(2)));
                entry.CancelRequested = false;
                entry.Outcomes.Clear();
                _store.Hint(StoreHintKind.Work, "default");
                Assert.True(again.Task.Wait(TimeSpan.FromMinutes(2)));
            }
        };

        entry.CancelRequested = true;

        Assert.Equal(StopReason.None, await stopped.Task.WaitAsync(TestContext.Current.CancellationToken));
        await _store.UntilEnded(id);
        Assert.Equal([OutcomeKind.Completed], entry.Kinds);
    }

    private Task<WorkHost> StartAsync(Action<TaskRecoveryBuilder>? register = null) => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.AddWorker<TestArgs, TestWorker>();
        register?.Invoke(builder);
    });

    private sealed class Scoped(Journal journal) : IDisposable
    {
        public string Note { get; set; } = "unused";

        public void Dispose() => journal.Add("disposed " + Note);
    }
}
