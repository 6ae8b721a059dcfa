using System.Net.Sockets;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The web sample as a reader starts it: a process that starts the shop, and starts it again when it was killed.</summary>
public abstract class WebSampleProcess : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("taskrecovery-shop-test-");
    private ChildProcess? _sample;

    private protected WebSampleProcess()
        => Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://localhost:{Port}/"),
            Timeout = TimeSpan.FromSeconds(30),
        };

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected int Port { get; } = LoopbackPort.FindFree();

    private protected HttpClient Client { get; }

    private protected ChildProcess Sample => _sample!;

    private protected string Data => Path.Combine(_parent.FullName, "shop");

    public abstract ValueTask InitializeAsync();

    public virtual async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await (_sample?.DisposeAsync() ?? ValueTask.CompletedTask);
        await GoneAsync();
        _parent.Delete(recursive: true);
    }

    private protected void Start(string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var root = RepositoryFolder.Root;
        var output = Path.GetRelativePath(Path.Combine(root, "tests", "TaskRecovery.Testing.Tests"), AppContext.BaseDirectory);
        _sample = ChildProcess.StartDotnet(
            Path.Combine(root, "samples", "TaskRecovery.WebSample", output, "TaskRecovery.WebSample.dll"),
            ["--port", $"{Port}", "--data", Data, .. arguments], environment);
    }

    private protected async Task<HttpResponseMessage> PostAsync(string path, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("Origin", origin);
        return await Client.SendAsync(request, Cancellation);
    }

    private protected async Task ContainsAsync(string path, string text)
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
            using var response = await Client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
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
            using var socket = new TcpClient("localhost", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
