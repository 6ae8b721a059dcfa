namespace TaskRecovery.Benchmarks.Children;

/// <summary>Viewers who look at the dashboard of a store at the same time.</summary>
internal sealed class Audience : IAsyncDisposable
{
    public const int Viewers = 20;

    private readonly HttpClient _client;
    private readonly CancellationTokenSource _leaving = new();
    private Task _looking = Task.CompletedTask;

    private Audience(DashboardProcess process)
        => (Process, _client) = (process, new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = process.Address });

    public DashboardProcess Process { get; }

    /// <summary>Starts the dashboard. Nobody looks yet.</summary>
    public static async Task<Audience> StartAsync(string store, string connectionString)
        => new(await DashboardProcess.StartAsync(store, connectionString));

    /// <summary>Opens pages, each one for a viewer of its own.</summary>
    public void Open(IReadOnlyList<string> pages)
    {
        // Pages are not opened at the same moment.
        var apart = TimeSpan.FromSeconds(2) / pages.Count;
        _looking = Task.WhenAll(pages.Select((page, number) => Viewer($"viewer-{number}", page).LookAsync(apart * number, _leaving.Token)));
    }

    /// <summary>Closes all pages.</summary>
    public async Task CloseAsync()
    {
        await _leaving.CancelAsync();
        await _looking;
    }

    /// <summary>A viewer who has not looked yet.</summary>
    public Viewer Viewer(string name, string page) => new(_client, name, page);

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _client.Dispose();
        await Process.DisposeAsync();
        _leaving.Dispose();
    }
}
