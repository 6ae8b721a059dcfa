using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Someone who looks at a page of the dashboard. Asks for news as the page's script does: as often as the page says, with the tag
/// of what is shown, and not while an answer is awaited.</summary>
internal sealed partial class Viewer(HttpClient client, string name, string path)
{
    private string? _tag;
    private TimeSpan? _interval;

    /// <summary>Looks at the page until it is cancelled.</summary>
    /// <param name="after">When the page is opened.</param>
    /// <param name="cancellationToken">Closes the page.</param>
    public async Task LookAsync(TimeSpan after, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(after, cancellationToken);
            await AskAsync(cancellationToken);
            if (_interval is { } interval)
            {
                using var timer = new PeriodicTimer(interval);
                while (await timer.WaitForNextTickAsync(cancellationToken))
                {
                    await AskAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The page is closed.
        }
    }

    /// <summary>Asks once.</summary>
    public async Task AskAsync(CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-User", name);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        if (_tag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", _tag);
        }

        using var response = await client.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotModified)
        {
            return;
        }

        var page = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"The dashboard answered '{path}' with {(int)response.StatusCode}: {page}");
        }

        _tag = response.Headers.ETag?.ToString();
        var every = int.Parse(Live().Match(page).Groups[1].Value, CultureInfo.InvariantCulture);
        _interval = every > 0 ? TimeSpan.FromMilliseconds(every) : null;
    }

    [GeneratedRegex("data-live=\"([0-9]+)\"")]
    private static partial Regex Live();
}
