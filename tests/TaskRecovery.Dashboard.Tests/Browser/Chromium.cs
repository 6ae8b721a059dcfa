using Microsoft.Playwright;
using TaskRecovery.Dashboard.Tests.Browser;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>One browser for all tests; each test gets a context of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Variable = "TASKRECOVERY_TEST_CHROMIUM";

    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly SemaphoreSlim _starting = new(1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _starting.Dispose();
    }

    /// <summary>The browser, started by the first test that needs it.</summary>
    public async Task<IBrowser> GetAsync()
    {
        await _starting.WaitAsync();
        try
        {
            // A machine may stand still. The default is 5 s.
            Assertions.SetDefaultExpectTimeout(120_000);
            _playwright ??= await Playwright.CreateAsync();
            return _browser ??= await _playwright.Chromium.LaunchAsync(
                new BrowserTypeLaunchOptions { ExecutablePath = Find(), Args = ["--no-sandbox", "--disable-gpu"], Timeout = 180_000 });
        }
        finally
        {
            _starting.Release();
        }
    }

    private static string Find()
        => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
            : Places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"The browser tests need Chromium. Install it (apt-get install chromium), or name it in {Variable}.");
}
