using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>An application with a dashboard for each of two instances of TaskRecovery. Both have an entry, with the same number.</summary>
public sealed class InstanceTests : IAsyncLifetime
{
    private const string Reports = "reports";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly RealStore _shopStore = new(isPostgres: false);
    private readonly RealStore _reportsStore = new(isPostgres: false);
    private readonly LogLines _log = new();
    private WebApplication _app = null!;
    private HttpClient _client = null!;
    private long _shopEntry;
    private long _reportsEntry;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobQueue ShopQueue => _app.Services.GetRequiredService<IJobQueue>();

    private IJobQueue ReportsQueue => _app.Services.GetRequiredKeyedService<IJobQueue>(Reports);

    public async ValueTask InitializeAsync()
    {
        var builder = Create(_log);
        (await _shopStore.UseAsync(builder.Services.AddTaskRecovery(static options => options.ServeDefaultQueue = false)))
            .AddKind<Mail>("shop.mail");
        (await _reportsStore.UseAsync(builder.Services.AddTaskRecovery(Reports, static options => options.ServeDefaultQueue = false)))
            .AddKind<Sheet>("reports.sheet");
        builder.Services.AddTaskRecoveryDashboard(static options => options.DataPolicy = "everyone");
        builder.Services.AddTaskRecoveryDashboard(Reports, static options => options.OperatePolicy = "everyone");
        _app = builder.Build();
        _app.MapTaskRecovery("/jobs").AllowAnonymous();
        _app.MapTaskRecovery("/reports", instance: Reports).AllowAnonymous();
        _app.MapTaskRecoveryApi("/reports/api", instance: Reports).AllowAnonymous();
        await _app.StartAsync(Cancellation);
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(_app.Urls.First()) };
        var later = new EnqueueOptions { RunAfter = TimeSpan.FromDays(1) };
        _shopEntry = (await ShopQueue.EnqueueAsync(new Mail("shop-args"), later, Cancellation)).Id;
        _reportsEntry = (await ReportsQueue.EnqueueAsync(new Sheet("reports-args"), later, Cancellation)).Id;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _shopStore.DisposeAsync();
        await _reportsStore.DisposeAsync();
    }

    [Fact]
    public async Task Each_dashboard_shows_its_own_instance()
    {
        var shop = await ReadAsync("jobs/entries");
        var reports = await ReadAsync("reports/entries");
        var api = await ReadAsync("reports/api/entries");

        Assert.Contains("shop.mail", shop, StringComparison.Ordinal);
        Assert.DoesNotContain("reports", shop, StringComparison.Ordinal);
        Assert.Contains("reports.sheet", reports, StringComparison.Ordinal);
        Assert.DoesNotContain("shop.mail", reports, StringComparison.Ordinal);
        Assert.Contains("reports.sheet", api, StringComparison.Ordinal);
        Assert.DoesNotContain("shop.mail", api, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_and_the_log_say_which_instance_it_is()
    {
        Assert.Contains("<title>Queues · TaskRecovery</title>", await ReadAsync("jobs/queues"), StringComparison.Ordinal);
        var page = await ReadAsync("reports/queues");

        Assert.Contains("<title>Queues · reports · TaskRecovery</title>", page, StringComparison.Ordinal);
        Assert.Contains(">Production · reports</span>", page, StringComparison.Ordinal);
        Assert.Contains("TaskRecovery.Dashboard.Security.Gatekeeper", _log.Categories);
        Assert.Contains("TaskRecovery.Dashboard.Security.Gatekeeper[reports]", _log.Categories);
    }

    [Fact]
    public async Task Each_dashboard_has_its_own_options()
    {
        Assert.Contains("shop-args", await ReadAsync($"jobs/entries/{_shopEntry}"), StringComparison.Ordinal);
        Assert.DoesNotContain("reports-args", await ReadAsync($"reports/entries/{_reportsEntry}"), StringComparison.Ordinal);
        Assert.DoesNotContain("method=\"post\"", await ReadAsync("jobs/queues"), StringComparison.Ordinal);
        Assert.Contains("method=\"post\"", await ReadAsync("reports/queues"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync($"jobs/entries/{_shopEntry}/cancel"));
    }

    [Fact]
    public async Task An_action_changes_its_own_instance()
    {
        Assert.Equal(_shopEntry, _reportsEntry);

        Assert.Equal(HttpStatusCode.SeeOther, await PostAsync($"reports/entries/{_reportsEntry}/cancel"));

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await ReportsQueue.FindAsync(_reportsEntry, patience.Token))!.State != EntryState.Cancelled)
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }

        Assert.Equal(EntryState.Waiting, (await ShopQueue.FindAsync(_shopEntry, Cancellation))!.State);
    }

    [Fact]
    public async Task A_name_that_is_not_added_is_named()
    {
        var builder = Create(new LogLines());
        builder.Services.AddTaskRecoveryDashboard("alone");
        await using var app = builder.Build();

        var noDashboard = Assert.Throws<InvalidOperationException>(() => app.MapTaskRecovery("/jobs", instance: "repots"));
        var noApi = Assert.Throws<InvalidOperationException>(() => app.MapTaskRecoveryApi("/jobs/api", instance: "repots"));
        var noInstance = Assert.Throws<InvalidOperationException>(() => app.MapTaskRecovery("/jobs", instance: "alone"));

        Assert.Contains("AddTaskRecoveryDashboard(\"repots\")", noDashboard.Message, StringComparison.Ordinal);
        Assert.Equal(noDashboard.Message, noApi.Message);
        Assert.Contains("AddTaskRecovery(\"alone\")", noInstance.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_of_an_instance_that_does_not_exist_stops_the_start()
    {
        var builder = Create(new LogLines());
        builder.Services.AddTaskRecoveryDashboard(Reports, static options => options.OperatePolicy = "opps");
        builder.Services.AddTaskRecoveryDashboard(Reports);
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(Cancellation));

        Assert.Contains("OperatePolicy is 'opps'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_of_authorization_may_be_scoped()
    {
        await using var store = new RealStore(isPostgres: false);
        var builder = Create(new LogLines());
        builder.Host.UseDefaultServiceProvider(static options => options.ValidateScopes = options.ValidateOnBuild = true);
        builder.Services.AddScoped<IAuthorizationHandler, ScopedHandler>();
        await store.UseAsync(builder.Services.AddTaskRecovery(Reports, static options => options.ServeDefaultQueue = false));
        builder.Services.AddTaskRecoveryDashboard(Reports, static options => options.OperatePolicy = "everyone");
        await using var app = builder.Build();

        app.MapTaskRecovery("/reports", instance: Reports).RequireAuthorization("everyone");
        await app.StartAsync(Cancellation);

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var response = await client.GetAsync("reports/queues", Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_payload_is_decoded_before_the_redactor_sees_it(bool isNamed)
    {
        await using var store = new RealStore(isPostgres: false);
        var builder = Create(new LogLines());
        (await store.UseAsync(isNamed
                ? builder.Services.AddTaskRecovery(Reports, static options => options.ServeDefaultQueue = false)
                : builder.Services.AddTaskRecovery(static options => options.ServeDefaultQueue = false)))
            .AddKind<Sheet>("reports.sheet").AddPayloadCodec<Sheet, Backwards>();
        _ = isNamed
            ? builder.Services.AddTaskRecoveryDashboard(Reports, Mask)
            : builder.Services.AddTaskRecoveryDashboard(Mask);
        await using var app = builder.Build();
        app.MapTaskRecovery("/reports", instance: isNamed ? Reports : null).AllowAnonymous();
        await app.StartAsync(Cancellation);
        var queue = isNamed
            ? app.Services.GetRequiredKeyedService<IJobQueue>(Reports)
            : app.Services.GetRequiredService<IJobQueue>();
        var stored = await queue.EnqueueAsync(
            new Sheet("a secret sheet"), new EnqueueOptions { RunAfter = TimeSpan.FromDays(1) }, Cancellation);

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var page = await client.GetStringAsync($"reports/entries/{stored.Id}", Cancellation);
        var file = await client.GetStringAsync($"reports/entries/{stored.Id}/args", Cancellation);

        Assert.Contains("a *** sheet", page, StringComparison.Ordinal);
        Assert.Contains("a *** sheet", file, StringComparison.Ordinal);

        static void Mask(DashboardOptions options)
        {
            options.DataPolicy = "everyone";
            options.Redact = static text => text.Text.Replace("secret", "***", StringComparison.Ordinal);
        }
    }

    private static WebApplicationBuilder Create(LogLines log)
    {
        var builder = RealApp.NewBuilder();
        builder.Logging.AddProvider(log);
        builder.Services.AddAuthorization(
            static options => options.AddPolicy("everyone", static policy => policy.RequireAssertion(static _ => true)));
        return builder;
    }

    private async Task<string> ReadAsync(string path)
    {
        using var response = await _client.GetAsync(path, Cancellation);
        Assert.Equal((path, HttpStatusCode.OK), (path, response.StatusCode));
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private async Task<HttpStatusCode> PostAsync(string path)
    {
        using var response = await _client.SendAsync(Requests.Post(path, user: null), Cancellation);
        return response.StatusCode;
    }

    private sealed class Backwards : IPayloadCodec
    {
        public string Id => "backwards";

        public byte[] Encode(ReadOnlyMemory<byte> json) => [.. Enumerable.Reverse(json.ToArray())];

        public byte[] Decode(ReadOnlyMemory<byte> data) => [.. Enumerable.Reverse(data.ToArray())];
    }

    private sealed class ScopedHandler : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context) => Task.CompletedTask;
    }

    private sealed record Mail(string Text);

    private sealed record Sheet(string Text);
}
