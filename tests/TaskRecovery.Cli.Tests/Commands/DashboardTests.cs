using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Web;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The dashboard of the tool: one browser on this machine, and only that.</summary>
public sealed class DashboardTests : IAsyncLifetime
{
    private readonly CliFixture _cli = new();
    private readonly CancellationTokenSource _interrupt = new();
    private readonly HttpClientHandler _browser = new() { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
    private Task<CliResult>? _running;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _cli.MigratedAsync();

    public async ValueTask DisposeAsync()
    {
        await _interrupt.CancelAsync();
        var result = _running is null ? null : await _running;
        _browser.Dispose();
        _interrupt.Dispose();
        _cli.Dispose();
        Assert.Equal(130, result?.ExitCode ?? 130);
    }

    [Fact]
    public async Task A_link_opens_the_pages_once_and_they_are_read_only()
    {
        var id = (await _cli.EnqueueAsync(1))[0];
        var link = await StartAsync();
        using var browser = new HttpClient(_browser) { BaseAddress = link };

        var early = await browser.GetAsync("/", Cancellation);
        var wrong = await browser.GetAsync(new Uri(link, "/open/0000"), Cancellation);
        using var preview = new HttpRequestMessage(HttpMethod.Get, link) { Headers = { { "Sec-Purpose", "prefetch" } } };
        var prefetched = await browser.SendAsync(preview, Cancellation);
        var opened = await browser.GetAsync(link, Cancellation);
        var again = await browser.GetAsync(link, Cancellation);
        var page = await browser.GetStringAsync(opened.Headers.Location, Cancellation);
        var entry = await browser.GetStringAsync(new Uri(link, $"{opened.Headers.Location}entries/{id}"), Cancellation);
        using var cancel = Post(new Uri(link, $"{opened.Headers.Location}entries/{id}/cancel"));
        var refused = await browser.SendAsync(cancel, Cancellation);

        Assert.Equal(
            [HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden,
                HttpStatusCode.SeeOther, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden],
            [early.StatusCode, wrong.StatusCode, prefetched.StatusCode, opened.StatusCode, again.StatusCode, refused.StatusCode]);
        Assert.Contains("httponly", string.Concat(opened.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("no-referrer", opened.Headers.GetValues("Referrer-Policy").Single());
        Assert.Contains("tasks.db", page, StringComparison.Ordinal);
        Assert.DoesNotContain("you may not see data", entry, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_browser_and_another_host_name_are_refused()
    {
        var link = await StartAsync();
        using var browser = new HttpClient(_browser) { BaseAddress = link };
        using var other = new HttpClient();
        using var renamed = new HttpRequestMessage(HttpMethod.Get, link) { Headers = { Host = $"evil.example:{link.Port}" } };

        var named = await browser.SendAsync(renamed, Cancellation);
        var area = (await browser.GetAsync(link, Cancellation)).Headers.Location;
        var stranger = await other.GetAsync(new Uri(link, area!), Cancellation);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (named.StatusCode, stranger.StatusCode));
        Assert.Equal("127.0.0.1", link.Host);
        using var outside = new TcpClient();
        var address = Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(one => one.AddressFamily == AddressFamily.InterNetwork
            && !IPAddress.IsLoopback(one));
        if (address is not null)
        {
            await Assert.ThrowsAnyAsync<SocketException>(() => outside.ConnectAsync(address, link.Port, Cancellation).AsTask());
        }
    }

    [Fact]
    public async Task With_operate_an_action_is_recorded_with_its_actor_and_a_bulk_operation_is_carried_out()
    {
        var ids = await _cli.EnqueueAsync(3);
        var link = await StartAsync("--operate", "--actor", "anna");
        using var browser = new HttpClient(_browser) { BaseAddress = link };
        var area = (await browser.GetAsync(link, Cancellation)).Headers.Location;
        using var cancel = Post(new Uri(link, $"{area}entries/{ids[0]}/cancel"));

        var done = await browser.SendAsync(cancel, Cancellation);
        await _cli.StartOperationAsync();
        var began = TimeProvider.System.GetTimestamp();
        while ((await _cli.RunAsync("ops", "--json")).Json().GetProperty("operations").EnumerateArray().Any(
            one => one.GetProperty("state").GetString() == "Running"))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(3), "The operation is not carried out.");
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
        Assert.Contains("anna (dashboard)", (await _cli.RunAsync("events", "--by", "anna")).Out, StringComparison.Ordinal);
        Assert.Equal(3, (await _cli.RunAsync("list", "--state", "cancelled", "--json")).Json().GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task What_carries_out_bulk_operations_ends_without_an_error()
    {
        await StartAsync("--operate");

        await _interrupt.CancelAsync();
        var result = await _running!;

        Assert.Equal(130, result.ExitCode);
        Assert.DoesNotContain("BackgroundService", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("canceled", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_site_leaves_signals_to_the_tool_whose_second_one_ends_the_process()
    {
        await using var store = StoreSession.Create(ConnectionText.Parse(_cli.ConnectionString), schema: null, static _ => { });
        await using var site = DashboardSite.Build(store, mayOperate: false, static _ => { });

        Assert.IsType<NoSignals>(site.Services.GetRequiredService<IHostLifetime>());
    }

    [Fact]
    public async Task It_operates_only_if_that_is_allowed()
    {
        _cli.Variables["TASKRECOVERY_READONLY"] = "1";

        await using var output = new WatchedWriter();
        output.On("http://", _interrupt.Cancel);

        var result = await _cli.RunAsync(["dashboard", "--operate"], answer: null, cancellationToken: _interrupt.Token, output: output);

        result.AssertFailed(2, "'dashboard --operate' changes the database, and TASKRECOVERY_READONLY is '1'");
    }

    private static HttpRequestMessage Post(Uri address) => new(HttpMethod.Post, address)
    {
        Headers = { { "Sec-Fetch-Site", "same-origin" }, { "Origin", address.GetLeftPart(UriPartial.Authority) } },
        Content = new FormUrlEncodedContent([]),
    };

    private async Task<Uri> StartAsync(params string[] args)
    {
        var link = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new WatchedWriter();
        output.On("http://", () => link.TrySetResult(new Uri(output.ToString().Trim())));
        _running = _cli.RunAsync(["dashboard", .. args], answer: null, cancellationToken: _interrupt.Token, output: output);
        if (await Task.WhenAny(link.Task, _running) == _running)
        {
            Assert.Fail((await _running).Error);
        }

        return await link.Task;
    }
}
