using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Two tenants in one system. Everything of the second one contains its name, which is in no answer to the first one; and nothing
/// that the first one does changes it.</summary>
/// <remarks>A class for each store, so that both run at the same time.</remarks>
public abstract class ScopeTests : IAsyncLifetime
{
    private const string Own = "alpha";
    private const string Other = "bravo";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Dictionary<string, (long Failed, long Waiting, Guid Job, long Operation)> _tenants = new(StringComparer.Ordinal);
    private readonly RealStore _store;
    private EntryScope _own = new();
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private protected ScopeTests(RealStore store) => _store = store;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IQueueOperator Operate => _app.Services.GetRequiredService<IQueueOperator>();

    private IQueueMonitor Monitor => _app.Services.GetRequiredService<IQueueMonitor>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Theory]
    [InlineData("queue")]
    [InlineData("kind")]
    [InlineData("metadata")]
    public async Task One_tenant_sees_and_changes_nothing_of_another_one(string by)
    {
        _own = by switch
        {
            "queue" => new EntryScope { Queues = [$"{Own}-queue"] },
            "kind" => new EntryScope { Kinds = [$"{Own}.mail", $"task:{Own}.report"] },
            _ => new EntryScope { Metadata = KeyValuePair.Create("tenant", Own) },
        };
        await StartAsync();

        await AssertSeesOwnAsync(by);
        await AssertSeesNothingElseAsync();
        await AssertChangesNothingElseAsync();
        await AssertSharesNoAnswerAsync();
        await AssertChangesOwnAsync();
        await AssertSeesNoReasonOfSharedOperationAsync();
    }

    private async Task AssertSeesOwnAsync(string by)
    {
        var own = _tenants[Own];
        Assert.Contains($"{Own}-args", await ReadAsync($"entries/{own.Failed}"), StringComparison.Ordinal);
        Assert.Contains($"/{own.Failed}\"", await ReadAsync("entries?state=failed"), StringComparison.Ordinal);
        Assert.Contains($"{Own}.mail", await ReadAsync(""), StringComparison.Ordinal);
        Assert.Contains($"{Own}.mail", await ReadAsync("entries?group=kind"), StringComparison.Ordinal);
        Assert.Contains($"operations/{own.Operation}", await ReadAsync("operations"), StringComparison.Ordinal);
        Assert.Equal(by == "queue", (await ReadAsync("queues")).Contains($"{Own}-queue", StringComparison.Ordinal));
        Assert.Equal(by == "kind", (await ReadAsync("kinds")).Contains($"{Own}.mail", StringComparison.Ordinal));
        Assert.Equal(by != "metadata", (await ReadAsync("jobs")).Contains($"{Own}-job", StringComparison.Ordinal));
    }

    private async Task AssertSeesNothingElseAsync()
    {
        var (failed, waiting, job, operation) = _tenants[Other];
        string[] paths =
        [
            "", "?range=24h", "queues", "entries", "entries?state=failed", "entries?state=waiting", "entries?state=completed",
            "entries?kind=*", $"entries?queue=brav%6F-queue", "entries?group=kind", "entries?group=queue", "entries?group=reason",
            "entries?text=args", "entries?text=args&group=queue", "kinds", "jobs", "tasks", "tasks?state=failed", "nodes", "events",
            "events?show=operators", "operations", "about", "search?q=brav", "search?q=mail", $"search?q={failed}",
            $"entries/{failed}", $"entries/{waiting}", $"entries/{_tenants[Own].Failed}", $"entries/{failed}/args",
            $"entries/{failed}/result", $"entries/{failed}?step=1", $"jobs/{job}", $"search?q={job}", $"operations/{operation}",
            $"operations/{operation}?show=refused",
            "api/snapshot", "api/kinds", "api/nodes", "api/jobs", "api/tasks", $"api/tasks?job={job}", "api/events", "api/operations",
            $"api/operations/{operation}", "api/entries", "api/entries?text=args", "api/groups?by=queue", "api/groups?by=kind",
            $"api/entries/{failed}", $"api/entries/{waiting}", "api/throughput", "api/throughput?by=queue", $"api/jobs/{job}",
            $"api/operations/{operation}/entries", $"api/entries/{failed}/log", $"api/entries/{failed}/steps/1",
            $"api/entries/{failed}/checkpoint", "api/search?q=mail", "api/search?q=brav", $"api/search?q={failed}", $"api/search?q={job}",
        ];
        foreach (var path in paths)
        {
            var answer = await ReadAsync(path);
            Assert.False(
                answer.Contains(Other, StringComparison.OrdinalIgnoreCase) && !path.Contains("brav", StringComparison.Ordinal),
                $"{path}: {Around(answer)}");
        }

        string[] missing =
        [
            $"entries/{failed}", $"entries/{failed}/args", $"jobs/{job}", $"operations/{operation}", $"api/entries/{failed}",
            $"api/operations/{operation}", $"api/jobs/{job}", $"api/operations/{operation}/entries", $"api/entries/{failed}/log",
            $"api/entries/{failed}/steps/1", $"api/entries/{failed}/checkpoint",
        ];
        foreach (var path in missing)
        {
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await GetAsync(path, Own)).Status));
        }

        // An id of another tenant is answered as one that does not exist.
        var absent = failed + 700;
        foreach (var path in new[] { "entries/{0}", "entries/{0}/args", "entries/{0}/result", "entries/{0}?step=1", "api/entries/{0}" })
        {
            var (answer, expected) = (await GetAsync(Of(path, failed), Own), await GetAsync(Of(path, absent), Own));
            Assert.Equal(expected.Status, answer.Status);
            Assert.Equal(expected.Text.Replace($" {absent}", $" {failed}", StringComparison.Ordinal), answer.Text);
        }

        Assert.DoesNotContain("Stored entries", await ReadAsync("about"), StringComparison.Ordinal);
        using var snapshot = JsonDocument.Parse(await ReadAsync("api/snapshot"));
        Assert.Equal(
            ["takenAt", "queues"], snapshot.RootElement.EnumerateObject().Select(static member => member.Name));

        var search = await GetAsync($"search?q={failed}", Own);
        Assert.Equal(HttpStatusCode.OK, search.Status);
        var key = await ReadAsync($"entries?key={Other}-key");
        Assert.DoesNotContain($"entries/{failed}\"", key, StringComparison.Ordinal);
        Assert.DoesNotContain($"entries/{failed}\"", await ReadAsync($"entries?kind={Other}.mail"), StringComparison.Ordinal);
    }

    private async Task AssertChangesNothingElseAsync()
    {
        var (failed, waiting, job, operation) = _tenants[Other];
        (string Path, (string, string)[] Fields)[] posts =
        [
            ($"entries/{failed}/retry", []), ($"entries/{waiting}/cancel", []), ("queues/pause", [("name", $"{Other}-queue")]),
            ("kinds/pause", [("name", $"{Other}.mail")]), ("queues/resume", [("name", $"{Other}-queue")]), ($"jobs/{job}/run", []),
            ($"jobs/{job}/pause", []), ($"jobs/{job}/delete", [("confirm", $"{Other}-job")]), ($"operations/{operation}/stop", []),
            ($"operations/{operation}/undo", []), ($"operations/{operation}/start", []),
        ];
        foreach (var (path, fields) in posts)
        {
            var answer = await PostAsync(path, fields);
            Assert.Contains("did=refused-missing", answer, StringComparison.Ordinal);
        }

        // By ids, whatever their states are, and by a filter that names the other tenant.
        await CarryOutAsync(await PostAsync("operations/prepare", ("do", "cancel"), ("id", $"{waiting}")), refused: 1);
        await CarryOutAsync(await PostAsync("operations/prepare", ("do", "retry"), ("id", $"{failed}")), refused: 1);
        await CarryOutAsync(await PostAsync("operations/prepare", ("do", "cancel"), ("id", $"{failed}")), refused: 1);
        await CarryOutAsync(await PostAsync("operations/prepare", ("do", "retry"), ("id", $"{waiting}")), refused: 1);
        await CarryOutAsync(await PostAsync("operations/prepare", ("do", "retry"), ("id", "987654321")), refused: 1);
        await CarryOutAsync(
            await PostAsync("operations/prepare", ("do", "cancel-all"), ("filter", $"queue={Other}-queue&kind={Other}.mail")), refused: 0);
        await CarryOutAsync(
            await PostAsync("operations/prepare", ("do", "retry-all"), ("filter", $"key={Other}-key")), refused: 0);

        Assert.Equal(EntryState.Failed, (await Monitor.GetLifeAsync(failed, null, Cancellation))!.Entry.State);
        Assert.Equal(EntryState.Waiting, (await Monitor.GetLifeAsync(waiting, null, Cancellation))!.Entry.State);
        Assert.All((await Monitor.GetSnapshotAsync(Cancellation)).Queues, static queue => Assert.Null(queue.Pause));
        Assert.All(await Monitor.ListKindsAsync(Cancellation), static kind => Assert.Null(kind.Pause));
        var jobs = await _app.Services.GetRequiredService<IJobService>().ListAsync(cancellationToken: Cancellation);
        Assert.All(jobs.Jobs, static one => Assert.Equal(JobState.Active, one.State));
        Assert.Equal(2, jobs.Jobs.Count);
        Assert.Null((await Operate.FindOperationAsync(operation, null, Cancellation))!.UndoneBy);
    }

    private async Task AssertSharesNoAnswerAsync()
    {
        string[] paths = ["entries?state=failed", "entries?group=kind", "api/groups?by=queue", "api/entries", "operations", "queues"];
        foreach (var path in paths)
        {
            var (all, own) = (await GetAsync(path, "admin"), await GetAsync(path, Own));
            Assert.DoesNotContain(Other, own.Text, StringComparison.Ordinal);
            Assert.NotEqual(all.Text, own.Text);
        }
    }

    private async Task AssertChangesOwnAsync()
    {
        var own = _tenants[Own];
        // A node of the application may be doing the step; then the answer is that the entry is being cancelled.
        Assert.Contains("did=cancell", await PostAsync($"entries/{own.Waiting}/cancel"), StringComparison.Ordinal);
        await UntilAsync(async () => (await Monitor.GetLifeAsync(own.Waiting, null, Cancellation))!.Entry.State == EntryState.Cancelled);

        var undone = await PostAsync($"operations/{own.Operation}/undo");
        Assert.Contains("did=undoing", undone, StringComparison.Ordinal);
        var undo = (await Operate.FindOperationAsync(own.Operation, null, Cancellation))!.UndoneBy;
        Assert.Equal(HttpStatusCode.OK, (await GetAsync($"operations/{undo}", Own)).Status);
    }

    // An administrator retries entries of both tenants together, and the reason is about the other one.
    private async Task AssertSeesNoReasonOfSharedOperationAsync()
    {
        var (own, other) = (_tenants[Own], _tenants[Other]);
        var audit = new AuditInfo("administrator", $"{Other} complained");
        var preview = await Operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Retry, EntryIds = [own.Waiting, other.Failed] }, audit, Cancellation);
        await Operate.StartAsync(preview.OperationId, audit, Cancellation);
        await UntilAsync(async () => (await Operate.ContinueAsync(preview.OperationId, Cancellation))!.State != OperationState.Running);

        foreach (var path in new[] { $"entries/{own.Waiting}", $"api/entries/{own.Waiting}" })
        {
            // The change was made beside the dashboard, whose answers may be two seconds old.
            _app.Services.GetRequiredService<SharedReads>().Forget();
            Assert.Contains(audit.Reason!, (await GetAsync(path, "admin")).Text, StringComparison.Ordinal);
            var seen = await ReadAsync(path);
            Assert.Contains(audit.Actor, seen, StringComparison.Ordinal);
            Assert.DoesNotContain(Other, seen, StringComparison.OrdinalIgnoreCase);
        }
    }

    private async Task CarryOutAsync(string location, int refused)
    {
        var id = long.Parse(location.Split("operations/")[1].Split('?')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains("did=started", await PostAsync($"operations/{id}/start"), StringComparison.Ordinal);
        BulkOperation? operation = null;
        await UntilAsync(async () => (operation = await Operate.ContinueAsync(id, Cancellation))!.State != OperationState.Running);

        Assert.Equal((0L, (long)refused), (operation!.Done, operation.Refused));

        // Another reason would tell that the entry exists, and how it ended.
        var entries = await Operate.ListOperationEntriesAsync(new OperationEntryQuery { OperationId = id }, Cancellation);
        Assert.All(entries.Entries, static entry => Assert.Equal(OperatorResult.NotFound, entry.Result));
    }

    private async Task StartAsync()
    {
        var builder = RealApp.NewBuilder();
        (await _store.UseAsync(builder.Services.AddTaskRecovery(static options =>
        {
            options.Queues[$"{Own}-queue"] = new QueueOptions();
            options.Queues[$"{Other}-queue"] = new QueueOptions();
        })))
            .AddWorker<AlphaMail, FailingWorker<AlphaMail>>(configure: static worker => worker.MaxAttempts = 1)
            .AddWorker<BravoMail, FailingWorker<BravoMail>>(configure: static worker => worker.MaxAttempts = 1)
            .AddKind<AlphaReport>()
            .AddKind<BravoReport>();
        builder.Services.AddAuthentication(HeaderAuthentication.Name).AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(
            HeaderAuthentication.Name, null);
        builder.Services.AddAuthorization(static options => options.AddPolicy("staff", static policy => policy.RequireAuthenticatedUser()));
        builder.Services.AddTaskRecoveryDashboard(options =>
        {
            options.OperatePolicy = options.DataPolicy = "staff";
            options.Scope = user => user.Identity?.Name == Own ? _own : null;
        });
        _app = builder.Build();
        _app.UseAuthentication();
        _app.UseAuthorization();
        _app.MapTaskRecovery("/jobs").RequireAuthorization("staff");
        _app.MapTaskRecoveryApi("/jobs/api").RequireAuthorization("staff");
        await _app.StartAsync(Cancellation);
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(_app.Urls.First()),
        };
        _tenants[Own] = await FillAsync(Own, new AlphaMail($"{Own}-args"), new AlphaMail($"{Own}-args later"), new AlphaReport(Own), _own);
        _tenants[Other] = await FillAsync(
            Other, new BravoMail($"{Other}-args"), new BravoMail($"{Other}-args later"), new BravoReport(Other), scope: null);
    }

    private async Task<(long Failed, long Waiting, Guid Job, long Operation)> FillAsync<TMail, TReport>(
        string tenant, TMail mail, TMail later, TReport report, EntryScope? scope)
        where TMail : notnull
        where TReport : notnull
    {
        var queue = _app.Services.GetRequiredService<IJobQueue>();
        EnqueueOptions Options(string key) => new()
        {
            Queue = $"{tenant}-queue",
            UniqueKey = $"{tenant}-{key}",
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["tenant"] = tenant, [$"{tenant}-note"] = tenant },
        };
        var failed = (await queue.EnqueueAsync(mail, Options("key"), Cancellation)).Id;
        var waiting = (await queue.EnqueueAsync(later, Options("later") with { RunAfter = TimeSpan.FromDays(1) }, Cancellation)).Id;
        var gone = (await queue.EnqueueAsync(later, Options("gone") with { RunAfter = TimeSpan.FromDays(1) }, Cancellation)).Id;
        var job = await _app.Services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
            new JobDefinition($"{tenant}-job", Schedule.Every(TimeSpan.FromDays(1))) { Queue = $"{tenant}-queue" }, report, Cancellation);
        await UntilAsync(async () => (await queue.FindAsync(failed, Cancellation))!.State == EntryState.Failed);

        var audit = new AuditInfo(scope is null ? "admin" : tenant, $"{tenant}-reason");
        var preview = await Operate.PreviewAsync(
            new BulkRequest { Action = BulkAction.Cancel, EntryIds = [gone], Scope = scope }, audit, Cancellation);
        await Operate.StartAsync(preview.OperationId, audit, Cancellation);
        await UntilAsync(async () => (await Operate.ContinueAsync(preview.OperationId, Cancellation))!.State != OperationState.Running);

        return (failed, waiting, job.Id, preview.OperationId);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    private static string Of(string path, long id)
        => path.Replace("{0}", id.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private async Task<string> ReadAsync(string path) => (await GetAsync(path, Own)).Text;

    private async Task<(HttpStatusCode Status, string Text)> GetAsync(string path, string user)
    {
        using var response = await _client.SendAsync(Requests.Get($"jobs/{path}", user), Cancellation);
        return (response.StatusCode, $"{response.Headers.Location}{await response.Content.ReadAsStringAsync(Cancellation)}");
    }

    private async Task<string> PostAsync(string path, params (string, string)[] fields)
    {
        using var response = await _client.SendAsync(Requests.Post($"jobs/{path}", Own, fields: fields), Cancellation);
        Assert.Equal((path, HttpStatusCode.SeeOther), (path, response.StatusCode));
        return response.Headers.Location!.OriginalString;
    }

    private static string Around(string text)
    {
        var at = text.IndexOf(Other, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "" : text[Math.Max(0, at - 100)..Math.Min(text.Length, at + 100)];
    }

    [JobKind("alpha.mail")]
    private sealed record AlphaMail(string Text);

    [JobKind("bravo.mail")]
    private sealed record BravoMail(string Text);

    [JobKind("alpha.report")]
    private sealed record AlphaReport(string Text);

    [JobKind("bravo.report")]
    private sealed record BravoReport(string Text);

    private sealed class FailingWorker<TMail> : IJobWorker<TMail>
        where TMail : notnull
    {
        public async Task WorkAsync(WorkContext<TMail> context, CancellationToken cancellationToken)
        {
            var tenant = typeof(TMail).Name[..5].ToLowerInvariant();
            await context.StepAsync($"{tenant}-step", _ => Task.FromResult($"{tenant}-result"), cancellationToken);
            throw new InvalidOperationException($"{tenant}-error");
        }
    }
}
