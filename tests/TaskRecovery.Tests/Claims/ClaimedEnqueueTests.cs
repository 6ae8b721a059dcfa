using System.Transactions;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>Entries that the process which works them stores itself: where one would start at once, it is stored as claimed.</summary>
public sealed class ClaimedEnqueueTests
{
    private readonly FakeQueueStore _store = new() { StoresClaimed = true };
    private readonly TestWork _work = new();

    [Fact]
    public async Task An_idle_queue_starts_what_is_stored_without_a_claim()
    {
        await using var host = await StartAsync();

        var id = await EnqueueClaimedAsync(host);
        await _store.UntilEnded(id);

        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
        Assert.Contains(id, _store.StoredClaimed);
    }

    [Fact]
    public async Task Several_of_one_call_start_together()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var missing = 3;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = (_, _) =>
        {
            if (Interlocked.Decrement(ref missing) == 0)
            {
                all.SetResult();
            }

            return all.Task;
        };

        var results = await host.Queue.EnqueueManyAsync(Enumerable.Range(0, 3).Select(
            number => EnqueueRequest.Create(new TestArgs(number))), cancellationToken: TestContext.Current.CancellationToken);
        await _store.UntilEnded([.. results.Select(result => result.Id)]);

        Assert.True(results[0].Id < results[1].Id && results[1].Id < results[2].Id);
    }

    [Fact]
    public async Task While_no_executor_is_idle_an_entry_waits()
    {
        await using var host = await StartAsync(concurrency: 1, prefetch: 0);
        await EnqueueClaimedAsync(host);
        var (running, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        _work.Do = (_, _) =>
        {
            running.TrySetResult();
            return finish.Task;
        };
        var first = await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken);
        await running.Task;
        var before = _store.CallsOf("enqueue claimed");

        var second = await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(before, _store.CallsOf("enqueue claimed"));
        Assert.True(_store.Entry(second.Id).IsWaiting);
        finish.SetResult();
        await _store.UntilEnded(first.Id, second.Id);
    }

    [Fact]
    public async Task What_has_a_key_or_a_time_or_is_not_worked_here_waits_for_a_claim()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var before = _store.CallsOf("enqueue claimed");

        await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { UniqueKey = "one" }, TestContext.Current.CancellationToken);
        await host.Queue.EnqueueAsync(
            new TestArgs(), new EnqueueOptions { RunAfter = TimeSpan.FromMilliseconds(1) }, TestContext.Current.CancellationToken);
        await host.Queue.EnqueueAsync(
            new TestArgs(), new EnqueueOptions { RunAt = DateTimeOffset.UnixEpoch }, TestContext.Current.CancellationToken);
        await host.Queue.EnqueueAsync(new OtherArgs(1), cancellationToken: TestContext.Current.CancellationToken);
        await host.Queue.EnqueueAsync(new TestArgs(), new EnqueueOptions { Queue = "elsewhere" }, TestContext.Current.CancellationToken);

        Assert.Equal(before, _store.CallsOf("enqueue claimed"));
    }

    [Fact]
    public async Task After_a_lost_answer_the_caller_is_told_and_the_claim_released()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var known = _store.Entries.Count;
        var lost = 0;
        _store.OnCall = call =>
        {
            if (call == "enqueue claimed answer" && Interlocked.Increment(ref lost) == 1)
            {
                throw new StoreUnavailableException("the answer was lost");
            }
        };

        await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueClaimedAsync(host));
        await _store.Until(store => store.Entries.Skip(known).Any(entry => entry.Kinds.Contains(OutcomeKind.Released) && entry.IsEnded));

        var entry = Assert.Single(_store.Entries, entry => entry.Kinds.Contains(OutcomeKind.Released));
        Assert.Equal([OutcomeKind.Released, OutcomeKind.Completed], entry.Kinds);
    }

    [Fact]
    public async Task A_node_that_was_declared_dead_stores_it_and_works_it_in_its_next_life()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var node = Guid.Empty;
        _work.Do = (context, _) =>
        {
            node = _store.NodeOf(context.Fence);
            return Task.CompletedTask;
        };
        var first = await EnqueueClaimedAsync(host);
        await _store.UntilEnded(first);
        var dead = node;
        _store.DeadNodes.Add(dead);

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken);
        await _store.UntilEnded(id);

        Assert.NotEqual(dead, node);
        Assert.Equal([OutcomeKind.Completed], _store.Entry(id).Kinds);
    }

    [Fact]
    public async Task What_is_stored_as_claimed_while_the_node_stops_is_released_before_it_leaves()
    {
        var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var stopping = Task.CompletedTask;
        _store.OnCall = call =>
        {
            if (call == "enqueue claimed answer" && stopping.IsCompleted)
            {
                stopping = host.StopAsync();
                Assert.True(SpinWait.SpinUntil(() => host.Log.Count(2006) > 0, TimeSpan.FromMinutes(2)));
                Assert.Empty(_store.LeftNodes);
            }
        };

        var id = await EnqueueClaimedAsync(host);
        await stopping;

        OutcomeAssert.Released(_store.Entry(id));
        Assert.Single(_store.LeftNodes);
        Assert.Equal(0, _store.OpenClaims);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Inside_a_transaction_scope_an_enqueue_needs_a_transaction_of_its_own()
    {
        await using var host = await StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);

        var one = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: cancellation));
        var many = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new TestArgs())], cancellation));

        Assert.Contains("Pass a DbTransaction", one.Message, StringComparison.Ordinal);
        Assert.Contains("Pass a DbTransaction", many.Message, StringComparison.Ordinal);
        Assert.Empty(_store.Entries);
    }

    [Fact]
    public async Task Where_the_store_lets_them_wait_the_claimer_claims_again_and_does_not_go_on_claiming()
    {
        await using var host = await StartAsync();
        await _store.Until(store => store.CallsOf("listening") > 0);
        await EnqueueClaimedAsync(host);
        _store.Paused.Add("default");

        // A claimer that was just woken claims first, and the entry is stored as waiting: the store is asked for one of the next.
        List<long> ids = [];
        var (claims, asked) = (0, _store.CallsOf("enqueue claimed"));
        while (_store.CallsOf("enqueue claimed") == asked)
        {
            claims = _store.CallsOf("claim");
            ids.Add((await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken)).Id);
        }

        // Polls name no paused queue: nothing but the enqueue wakes the claimer.
        await _store.Until(store => store.CallsOf("claim") > claims);
        var polls = _store.CallsOf("poll");
        await _store.Until(store => store.CallsOf("poll") >= polls + 3);

        // One claim, two of each attempt from the front that is made up for (one from before, one for this claim), and more if the machine
        // stood still. A claimer that was woken again by what it can't have would make thousands.
        Assert.InRange(_store.CallsOf("claim"), claims + 1, claims + 50);
        _store.Paused.Clear();
        ids.Add((await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken)).Id);
        await _store.UntilEnded([.. ids]);
    }

    [Fact]
    public async Task A_caller_who_gives_up_leaves_an_entry_that_runs()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        using var impatience = new CancellationTokenSource();
        using var answer = new ManualResetEventSlim();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.OnCall = call =>
        {
            if (call == "enqueue claimed answer")
            {
                reached.TrySetResult();
                Assert.True(answer.Wait(TimeSpan.FromMinutes(2)));
            }
        };

        var call = EnqueueAsync();
        while (await Task.WhenAny(call, reached.Task) == call)
        {
            await _store.UntilEnded([.. _store.Entries.Select(entry => entry.Id)]);
            call = EnqueueAsync();
        }

        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        answer.Set();

        await _store.UntilEnded([.. _store.Entries.Select(entry => entry.Id)]);
        Assert.All(_store.Entries, entry => Assert.Equal([OutcomeKind.Completed], entry.Kinds));

        Task EnqueueAsync()
            => host.Queue.EnqueueManyAsync([EnqueueRequest.Create(new TestArgs())], cancellationToken: impatience.Token).AsTask();
    }

    [Fact]
    public async Task An_answer_that_comes_after_the_lease_starts_nothing()
    {
        await using var host = await StartAsync();
        await _store.Until(store => store.CallsOf("listening") > 0);
        var ran = new SharedSet<long>();
        var node = Guid.Empty;
        _work.Do = (context, _) =>
        {
            ran.Add(context.EntryId);
            node = _store.NodeOf(context.Fence);
            return Task.CompletedTask;
        };
        var first = await EnqueueClaimedAsync(host);
        await _store.UntilEnded(first);
        _store.OnCall = call =>
        {
            if (call == "enqueue claimed answer" && _store.DeadNodes.Count == 0)
            {
                _store.DeadNodes.Add(node);
                Assert.True(SpinWait.SpinUntil(() => _store.CallsOf("register") == 2, TimeSpan.FromMinutes(2)));
            }
        };

        var late = await EnqueueClaimedAsync(host);
        var (next, _) = await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken);
        await _store.UntilEnded(next);

        Assert.Empty(_store.Entry(late).Outcomes);
        Assert.DoesNotContain(late, ran);
        Assert.Contains(next, ran);
    }

    [Fact]
    public async Task A_log_that_throws_stores_nothing_twice()
    {
        await using var host = await StartAsync();
        await EnqueueClaimedAsync(host);
        var known = _store.Entries.Count;
        host.Log.OnLine = id => throw new InvalidOperationException($"event {id} can't be written");

        await Task.WhenAll(Enumerable.Range(0, 10).Select(
            number => host.Queue.EnqueueAsync(new TestArgs(number), cancellationToken: TestContext.Current.CancellationToken).AsTask()));
        await _store.UntilEnded([.. _store.Entries.Select(entry => entry.Id)]);
        host.Log.OnLine = null;

        Assert.Equal(known + 10, _store.Entries.Count);
    }

    // A claimer that was just woken claims first: the next one, or the one after it, is stored as claimed.
    private async Task<long> EnqueueClaimedAsync(WorkHost host)
    {
        while (true)
        {
            var before = _store.CallsOf("enqueue claimed");
            var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), cancellationToken: TestContext.Current.CancellationToken);
            if (_store.CallsOf("enqueue claimed") > before)
            {
                return id;
            }

            await _store.UntilEnded(id);
        }
    }

    private Task<WorkHost> StartAsync(int concurrency = 20, int? prefetch = null) => WorkHost.StartAsync(_store, builder =>
    {
        builder.Services.AddSingleton(_work);
        builder.Services.AddSingleton(WorkHost.PatientStop);
        builder.AddWorker<TestArgs, TestWorker>();
        builder.AddKind<OtherArgs>();
        builder.AddQueue("default", concurrency, prefetch);
    });
}
