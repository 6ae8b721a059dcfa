using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Diagnostics;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The trace of an entry, as a link if the application says where traces are.</summary>
internal sealed class TraceLink(IOptions<DashboardOptions> options, ILogger<TraceLink> logger)
{
    private const int TraceIdLength = 32;

    private int _hasFailed;

    public Markup Render(string? traceParent)
    {
        if (TraceId(traceParent) is not { } id)
        {
            return default;
        }

        var url = Url(id);
        return url is not null && Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? Html($"<a class=\"id\" href=\"{url}\" rel=\"noreferrer noopener\">{id[..16]}…</a>")
            : Html($"<span class=\"id\">{id[..16]}…</span>");
    }

    // An open page asks every few seconds, so that a failure is logged once.
    private string? Url(string id)
    {
        try
        {
            return options.Value.TraceUrl?.Invoke(id);
        }
#pragma warning disable CA1031 // Whatever the application throws: the page is worth more than the link.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (Interlocked.Exchange(ref _hasFailed, 1) == 0)
            {
                Log.TraceUrlFailed(logger, failure);
            }

            return null;
        }
    }

    /// <summary>The trace id in what a person types: the id, or a whole trace context; <see langword="null"/> if it is neither.</summary>
    internal static string? Find(string text)
        => text.ToLowerInvariant() is var lower && lower.Length == TraceIdLength
            && lower.All(char.IsAsciiHexDigitLower) ? lower : TraceId(lower);

    /// <summary>The trace id in a W3C trace context, <c>00-(32 hexadecimal digits)-...</c>; <see langword="null"/> if there is
    /// none.</summary>
    internal static string? TraceId(string? traceParent)
        => traceParent?.Split('-') is [_, { Length: TraceIdLength } id, ..] && id.All(char.IsAsciiHexDigitLower) ? id : null;
}
