using Microsoft.Playwright;

namespace TaskRecovery.Dashboard.Tests.Browser;

/// <summary>A page in a browser that writes down everything that must not happen: script errors, failed requests and refused
/// content.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    private Visitor(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        context.SetDefaultTimeout(120_000);
        context.SetDefaultNavigationTimeout(120_000);
        page.Console += (_, message) => Add(message.Type is "error" or "warning", $"console {message.Type}: {message.Text}");
        page.PageError += (_, error) => Add(true, $"script error: {error}");
        page.Dialog += async (_, dialog) =>
        {
            Add(true, $"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
            {
                return [.. _complaints];
            }
        }
    }

    public static async Task<Visitor> ComeAsync(
        Chromium chromium, Uri address, int width = 1_440, ColorScheme scheme = ColorScheme.Light, bool script = true,
        string timeZone = "UTC")
    {
        var browser = await chromium.GetAsync();
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(),
            ViewportSize = new ViewportSize { Width = width, Height = 1_000 },
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            JavaScriptEnabled = script,
            TimezoneId = timeZone,
        });
        return new Visitor(context, await context.NewPageAsync());
    }

    /// <summary>Lets the page ask for news at once, as when its tab is opened again. If it is asking already, it asks again after its
    /// interval.</summary>
    public Task PollAsync() => Page.EvaluateAsync("document.dispatchEvent(new Event('visibilitychange'))");

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Add(bool isComplaint, string text)
    {
        if (isComplaint)
        {
            lock (_complaints)
            {
                _complaints.Add(text);
            }
        }
    }
}
