using System.Net.Sockets;
using System.Text.Json;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Testing.Tests.OwnSamples;

/// <summary>The web sample as a reader starts it: a process that starts the shop, and starts it again when it was killed.</summary>
public abstract class WebSampleProcess : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("taskrecovery-shop-test-");
    private ChildProcess? _sample;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected int Port { get; private set; }

    private protected HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Patience };

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
        // As late as possible, because another program may take the port.
        Port = LoopbackPort.FindFree();
        Client.BaseAddress = new Uri($"http://localhost:{Port}/");
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

    /// <summary>The time for several pages together, which begins now. Less than a minute is usual.</summary>
    private protected static CancellationTokenSource BeginPatience()
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        return patience;
    }

    /// <summary>Waits until a page contains a text.</summary>
    /// <param name="path">The page.</param>
    /// <param name="text">The text.</param>
    /// <param name="patience">The time for it; <see langword="null"/> for a time of its own.</param>
    private protected async Task ContainsAsync(string path, string text, CancellationTokenSource? patience = null)
        => await FindAsync(path, $"'{text}'", page => page.Contains(text, StringComparison.Ordinal) ? page : null, patience);

    /// <summary>Waits until an answer of the API has what is looked for.</summary>
    /// <param name="path">The question, below the API.</param>
    /// <param name="pick">Finds it; <see langword="null"/> if it is not there yet.</param>
    /// <param name="patience">The time for it.</param>
    private protected Task<string> AskAsync(string path, Func<JsonElement, string?> pick, CancellationTokenSource patience)
        => FindAsync($"jobs/api/{path}", "what is looked for", answer => Pick(answer, pick), patience);

    // The shop may not listen yet, and then the answer is an error.
    private static string? Pick(string answer, Func<JsonElement, string?> pick)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return pick(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<string> FindAsync(string path, string what, Func<string, string?> pick, CancellationTokenSource? patience)
    {
        using var own = BeginPatience();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (true)
        {
            // The time is over only if the page was read once more after it: a machine that stood still may have it now.
            var isLast = (patience ?? own).IsCancellationRequested;
            var page = await ReadAsync(path);
            if (pick(page) is { } found)
            {
                return found;
            }

            Assert.False(isLast, $"{path} does not contain {what}: {page}");
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
        var began = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (IsListening() && TimeProvider.System.GetElapsedTime(began) < Patience)
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
