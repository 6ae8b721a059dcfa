using System.Net;
using System.Net.Sockets;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The web sample as a reader starts it: a process that starts the shop, and starts it again when it was killed.</summary>
public sealed class WebSampleProcessTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("taskrecovery-shop-test-");
    private readonly int _port = LoopbackPort.FindFree();
    private readonly HttpClient _client;
    private ChildProcess _sample = null!;

    public WebSampleProcessTests()
        => _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://localhost:{_port}/"),
            Timeout = TimeSpan.FromSeconds(30),
        };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_parent.FullName, "shop");

    public ValueTask InitializeAsync()
    {
        var root = RepositoryFolder.Root;
        var output = Path.GetRelativePath(Path.Combine(root, "tests", "TaskRecovery.Testing.Tests"), AppContext.BaseDirectory);
        _sample = ChildProcess.StartDotnet(
            Path.Combine(root, "samples", "TaskRecovery.WebSample", output, "TaskRecovery.WebSample.dll"),
            ["--port", $"{_port}", "--data", Data]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _sample.DisposeAsync();
        await GoneAsync();
        _parent.Delete(recursive: true);
    }

    [Fact]
    public async Task Every_page_has_something_to_show_within_a_minute()
    {
        await ContainsAsync("jobs/", "All events");
        await ContainsAsync("jobs/operations", "wrong prices");
        await ContainsAsync("jobs/entries?state=cancelled", "mail.send");
        await ContainsAsync("jobs/entries?state=failed", "order.confirm");
        await ContainsAsync("jobs/entries?state=completed", "mail.send");
        await ContainsAsync("jobs/queues", "the template is not approved yet");
        await ContainsAsync("jobs/kinds", "no living node");
        await ContainsAsync("jobs/jobs", "nightly-stock-sync");
        await ContainsAsync("jobs/tasks", "stock-sync");
        await ContainsAsync("jobs/nodes", "shop");
        await ContainsAsync("jobs/events", "was paused");
        await ContainsAsync("jobs/api/snapshot", "newsletter");

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Data));
        }
    }

    [Fact]
    public async Task The_button_kills_the_shop_which_is_started_again_and_only_its_own_page_may_press_it()
    {
        await ContainsAsync("", "A small shop");

        using var foreign = await PostAsync("crash", "https://evil.example");
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "");
        rebound.Headers.Host = $"evil.example:{_port}";
        using var unnamed = await _client.SendAsync(rebound, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        Assert.DoesNotContain(_sample.Lines, static line => line.Contains("Starting it again", StringComparison.Ordinal));

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync("crash", $"http://localhost:{_port}"));
        await _sample.WaitForLineAsync("The shop (process");
        await ContainsAsync("", "A small shop");
        await ContainsAsync("jobs/events", "was declared dead");
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("Origin", origin);
        return await _client.SendAsync(request, Cancellation);
    }

    private async Task ContainsAsync(string path, string text)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        var last = "";
        while (!last.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(patience.IsCancellationRequested, $"{path} does not contain '{text}': {last}");
            last = await ReadAsync(path);
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private async Task<string> ReadAsync(string path)
    {
        try
        {
            using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            return await response.Content.ReadAsStringAsync(Cancellation);
        }
        catch (Exception failure) when (failure is HttpRequestException
            || (failure is TaskCanceledException && !Cancellation.IsCancellationRequested))
        {
            return failure.Message;
        }
    }

    // The shop notices that the process which started it is gone, and stops.
    private async Task GoneAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var attempt = 0; attempt < 300 && IsListening(); attempt++)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private bool IsListening()
    {
        try
        {
            using var socket = new TcpClient("localhost", _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
