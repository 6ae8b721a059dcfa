using System.Net;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>A user who asks many different questions waits for himself, and nobody else does.</summary>
public sealed class ReadTurnTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("jobs/entries?queue=none&before={0}", "list", "jobs/queues")]
    [InlineData("jobs/entries?state=completed&before={0}", "list", "jobs/kinds")]
    [InlineData("jobs/events?actor=nobody-{0}", "events", "jobs/jobs")]
    [InlineData("jobs/api/entries/{0}", "life", "jobs/entries?state=failed")]
    [InlineData("jobs/api/tasks?job=00000000-0000-0000-0000-0000000000{0}", "tasks", "jobs/operations")]
    public async Task One_user_starts_one_of_many_questions_at_a_time(string path, string question, string other)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        var blocked = app.Monitor.Block(question);

        var answers = Enumerable.Range(10, 50).Select(number => app.Client.SendAsync(
            Requests.Get(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, number)), Cancellation)).ToList();
        var refused = new List<HttpStatusCode>();
        while (refused.Count < 50 - ReadTurns.MaxOfUser)
        {
            var answered = await Task.WhenAny(answers);
            answers.Remove(answered);
            refused.Add((await answered).StatusCode);
        }

        Assert.All(refused, static status => Assert.Equal(HttpStatusCode.TooManyRequests, status));
        await UntilAskedAsync(app, question, times: 1);
        Assert.Equal(1, Count(app, question));
        using (var page = await app.Client.SendAsync(Requests.Get(other), Cancellation))
        {
            Assert.True(page.IsSuccessStatusCode);
        }

        blocked.SetResult();
        Assert.All(
            await Task.WhenAll(answers),
            static answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound));
        Assert.Equal(ReadTurns.MaxOfUser, Count(app, question));
    }

    [Fact]
    public async Task Other_users_are_answered_meanwhile()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var blocked = app.Monitor.Block("life");
        var first = app.Client.SendAsync(Requests.Get("jobs/entries/4104"), Cancellation);

        using var same = await app.Client.SendAsync(Requests.Get("jobs/entries?queue=mail", user: "bert"), Cancellation);

        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
        blocked.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    [Fact]
    public async Task A_user_runs_one_search_at_a_time_and_no_other_user_waits_for_it()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var blocked = app.Monitor.Block("list");
        var first = app.Client.SendAsync(Requests.Get("jobs/entries?text=a", roles: "data"), Cancellation);
        await UntilAskedAsync(app, "list", times: 1);

        using var second = await app.Client.SendAsync(Requests.Get("jobs/entries?text=b", roles: "data"), Cancellation);
        var other = app.Client.SendAsync(Requests.Get("jobs/entries?text=b", user: "bert", roles: "data"), Cancellation);

        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Contains("One search at a time", await second.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        await UntilAskedAsync(app, "list", times: 2);

        blocked.SetResult();
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), ((await first).StatusCode, (await other).StatusCode));
    }

    [Fact]
    public async Task To_prepare_an_operation_on_all_that_match_is_a_search()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Operations.WhilePreviewing = held.Task;
        var first = app.Client.SendAsync(Prepare("ada"), Cancellation);
        await UntilAsync(() => app.Operations.Done.Count == 1);

        using var second = await app.Client.SendAsync(Prepare("ada"), Cancellation);
        using var search = await app.Client.SendAsync(Requests.Get("jobs/entries?text=a", roles: "data"), Cancellation);
        var other = app.Client.SendAsync(Prepare("bert"), Cancellation);
        await UntilAsync(() => app.Operations.Done.Count == 2);

        Assert.Equal((HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests), (second.StatusCode, search.StatusCode));
        Assert.Equal(["ada", "bert"], app.Operations.Done.Select(static done => done.Audit.Actor));
        held.SetResult();
        Assert.Equal((HttpStatusCode.SeeOther, HttpStatusCode.SeeOther), ((await first).StatusCode, (await other).StatusCode));

        static HttpRequestMessage Prepare(string user)
            => Requests.Post("jobs/operations/prepare", user, fields: [("do", "cancel-all"), ("filter", "kind=mail.*")]);
    }

    [Fact]
    public async Task A_request_that_is_given_up_leaves_the_line()
    {
        var turns = new ReadTurns();
        var first = await turns.BeginAsync("ada", Cancellation);
        using var leaving = new CancellationTokenSource();
        var left = turns.BeginAsync("ada", leaving.Token).AsTask();
        var stayed = turns.BeginAsync("ada", Cancellation).AsTask();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.False(stayed.IsCompleted);
        first.Dispose();
        (await stayed).Dispose();

        (await turns.BeginAsync("ada", Cancellation)).Dispose();
    }

    [Fact]
    public async Task No_more_than_a_few_users_read_at_the_same_time()
    {
        var turns = new ReadTurns();
        var running = new List<IDisposable>();
        for (var user = 0; user < ReadTurns.MaxRunning; user++)
        {
            running.Add(await turns.BeginAsync($"user {user}", Cancellation));
        }

        var refused = await Assert.ThrowsAsync<TooManyReadsException>(async () => await turns.BeginAsync("one more", Cancellation));
        Assert.False(refused.IsOfUser);
        running.ForEach(static turn => turn.Dispose());
        (await turns.BeginAsync("one more", Cancellation)).Dispose();
    }

    private static Task UntilAskedAsync(DashboardApp app, string question, int times) => UntilAsync(() => Count(app, question) >= times);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        while (!condition())
        {
            await Task.Delay(10, patience.Token);
        }
    }

    private static int Count(DashboardApp app, string question)
    {
        lock (app.System.Asked)
        {
            return app.System.Asked.Count(asked => asked == question);
        }
    }
}
