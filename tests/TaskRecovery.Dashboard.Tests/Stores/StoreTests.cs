using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Stores;

/// <summary>The dashboard over a real store with a real worker.</summary>
public abstract class StoreTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly FlakyState _state = new();
    private readonly RealStore _store;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private protected StoreTests(RealStore store) => _store = store;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobQueue Queue => _app.Services.GetRequiredService<IJobQueue>();

    private IQueueOperator Operator => _app.Services.GetRequiredService<IQueueOperator>();

    public async ValueTask InitializeAsync()
    {
        var builder = RealApp.NewBuilder();
        builder.Services.AddSingleton(_state);
        (await _store.UseAsync(builder.Services.AddTaskRecovery()))
            .AddWorker<Flaky, FlakyWorker>(configure: static worker => worker.MaxAttempts = 1);
        builder.Services.AddAuthorization(
            static options => options.AddPolicy("everyone", static policy => policy.RequireAssertion(static _ => true)));
        builder.Services.AddTaskRecoveryDashboard(static options => options.OperatePolicy = options.DataPolicy = "everyone");
        _app = builder.Build();
        _app.MapTaskRecovery("/jobs").AllowAnonymous();
        await _app.StartAsync(Cancellation);
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Every_page_is_shown()
    {
        var completed = await RunAsync("fine");
        _state.IsBroken = true;
        var failed = await RunAsync("broken");

        foreach (var path in (string[])
        [
            "", "?range=24h", "?range=7d", "?range=90d", "queues", "entries", "entries?state=failed",
            "entries?kind=flaky*&group=reason", "entries?text=broken", $"entries/{completed}",
            $"entries/{failed}", "kinds", "jobs", "tasks", "nodes", "events", "operations", "search?q=flaky", "about",
        ])
        {
            Assert.Equal((path, HttpStatusCode.OK), (path, (await GetAsync(path)).Status));
        }

        var (_, entry) = await GetAsync($"entries/{failed}");
        Assert.Contains("The gateway is broken.", entry, StringComparison.Ordinal);
        Assert.Contains("Claimed by", entry, StringComparison.Ordinal);
        Assert.Contains($"\"./entries/{failed}\"", (await GetAsync("entries?state=failed")).Page, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"./entries/{completed}\"", (await GetAsync("entries?state=failed")).Page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_entry_is_retried_and_completes()
    {
        _state.IsBroken = true;
        var id = await RunAsync("order");
        _state.IsBroken = false;

        using var response = await _client.SendAsync(Requests.Post($"jobs/entries/{id}/retry", user: null), Cancellation);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        await WaitAsync(id, EntryState.Completed);
        Assert.Matches(
            $"Operation [0-9]+</a> \\(retry of <a class=\"id\" href=\"\\./entries/{id}\">[^<]+</a>\\) ended",
            (await GetAsync("events")).Page);
        Assert.Contains("Retried by <a", (await GetAsync($"entries/{id}")).Page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retried_entry_has_ended_again_after_an_undo_as_it_had_ended()
    {
        _state.IsBroken = true;
        var id = await RunAsync("order");
        var ended = await Queue.FindAsync(id, Cancellation);
        var paused = await Operator.PauseAsync(PauseTarget.Queue("default"), new AuditInfo("test"), cancellationToken: Cancellation);
        Assert.Equal(OperatorResult.Done, paused);

        using var retried = await _client.SendAsync(Requests.Post($"jobs/entries/{id}/retry", user: null), Cancellation);
        await WaitAsync(id, EntryState.Waiting);
        var undo = await LastOperationAsync();
        using var undone = await _client.SendAsync(Requests.Post($"jobs/operations/{undo}/undo", user: null), Cancellation);
        await WaitAsync(id, EntryState.Failed);

        var again = await Queue.FindAsync(id, Cancellation);
        Assert.Equal((ended!.EndedAt, ended.Reason, ended.Error), (again!.EndedAt, again.Reason, again.Error));
    }

    [Fact]
    public async Task A_cancelled_entry_waits_again_after_an_undo()
    {
        var (id, _) = await Queue.EnqueueAsync(new Flaky("later"), new EnqueueOptions { RunAfter = TimeSpan.FromDays(1) }, Cancellation);
        var due = (await Queue.FindAsync(id, Cancellation))?.RunAt;

        using var cancelled = await _client.SendAsync(Requests.Post($"jobs/entries/{id}/cancel", user: null), Cancellation);
        await WaitAsync(id, EntryState.Cancelled);
        var undo = await LastOperationAsync();
        using var undone = await _client.SendAsync(Requests.Post($"jobs/operations/{undo}/undo", user: null), Cancellation);

        await WaitAsync(id, EntryState.Waiting);
        Assert.Equal(due, (await Queue.FindAsync(id, Cancellation))?.RunAt);
    }

    [Fact]
    public async Task A_paused_queue_says_who_paused_it_and_why()
    {
        // A queue is known once something was stored in it.
        await RunAsync("once");
        using var response = await _client.SendAsync(
            Requests.Post("jobs/queues/pause", user: null, fields: [("name", "default"), ("reason", "the gateway is down")]), Cancellation);

        var (_, page) = await GetAsync("queues");

        Assert.Contains("the gateway is down", page, StringComparison.Ordinal);
        Assert.Contains("anonymous", page, StringComparison.Ordinal);
    }

    // The note has it too, unless a busy machine needed longer than the note waits.
    private async Task<long> LastOperationAsync()
        => (await Operator.ListOperationsAsync(new OperationQuery(), Cancellation)).Operations[0].Id;

    private async Task<long> RunAsync(string name)
    {
        var (id, _) = await Queue.EnqueueAsync(new Flaky(name), cancellationToken: Cancellation);
        await WaitAsync(id, EntryState.Completed, EntryState.Failed);
        return id;
    }

    private async Task WaitAsync(long id, params EntryState[] states)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await Queue.FindAsync(id, patience.Token) is var entry && (entry is null || !states.Contains(entry.State)))
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    private async Task<(HttpStatusCode Status, string Page)> GetAsync(string path)
    {
        using var response = await _client.GetAsync($"jobs/{path}", Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    [JobKind("flaky")]
    private sealed record Flaky(string Name);

    private sealed class FlakyState
    {
        public volatile bool IsBroken;
    }

    private sealed class FlakyWorker(FlakyState state) : IJobWorker<Flaky>
    {
        public Task WorkAsync(WorkContext<Flaky> context, CancellationToken cancellationToken)
            => state.IsBroken ? Task.FromException(new InvalidOperationException("The gateway is broken.")) : Task.CompletedTask;
    }
}
