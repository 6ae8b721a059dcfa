using System.Net;
using Microsoft.AspNetCore.Http;

namespace TaskRecovery.Dashboard.Security;

/// <summary>The rules about where a request comes from, as pure functions of its headers and connection.</summary>
internal static class RequestOrigin
{
    private const string SameOrigin = "same-origin";
    private const string Site = "Sec-Fetch-Site";

    private static readonly string[] ForwardingHeaders =
    [
        "Forwarded", "Via", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP",
        "X-Client-IP", "X-Cluster-Client-IP", "X-Envoy-External-Address",
    ];

    /// <summary>Whether the request was made on this machine and no proxy had a part in it. A header that any proxy adds is enough to
    /// refuse, because a proxy on this machine connects from the loopback address on behalf of anyone.</summary>
    public static bool IsDirectLoopback(HttpContext context)
        => context.Connection.RemoteIpAddress is { } remote
            && IPAddress.IsLoopback(remote)
            && IsLoopbackName(context.Request.Host.Host)
            && !WasForwarded(context.Request.Headers);

    public static bool WasForwarded(IHeaderDictionary headers)
        => headers.Keys.Any(static name =>
            name.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("X-Original", StringComparison.OrdinalIgnoreCase)
            || ForwardingHeaders.Contains(name, StringComparer.OrdinalIgnoreCase));

    public static bool IsLoopbackName(string host)
        => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Whether the host is one of the allowed ones. Without a list, a user whose login is bound to the host may use any name,
    /// because a name that an attacker rebinds has none of the user's cookies; others may use only what can't be rebound: localhost and IP
    /// addresses.</summary>
    public static bool IsHostAllowed(string host, IList<string> allowed, bool isBoundToHost)
        => allowed.Count > 0
            ? allowed.Any(name => name.Trim('[', ']').Equals(host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase))
            : isBoundToHost || IsLoopbackName(host) || IPAddress.TryParse(host.Trim('[', ']'), out _);

    /// <summary>Whether a page of this origin led the browser here; <see langword="null"/> if the browser does not say. One that is
    /// connected without TLS says it by the referrer only.</summary>
    public static bool? IsLedFromHere(HttpRequest request)
        => SiteOf(request.Headers) is { } site ? site == SameOrigin
            : request.Headers.Referer.ToString() is { Length: > 0 } referrer ? IsSameOrigin(referrer, request)
            : null;

    /// <summary>Another site may only send the user here by a link: it may not embed, frame or fetch a page.</summary>
    public static bool MayRead(IHeaderDictionary headers)
        => SiteOf(headers) is null or SameOrigin or "none"
            || (headers["Sec-Fetch-Mode"] == "navigate" && headers["Sec-Fetch-Dest"] == "document");

    /// <summary>Whether a page of this very origin sent the request. The browser sets both headers and no page can change them. A proxy may
    /// rewrite the host, so Origin is compared only if the browser did not judge by itself.</summary>
    public static bool MayWrite(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin == "null")
        {
            return false;
        }

        return SiteOf(request.Headers) is { } site ? site == SameOrigin : IsSameOrigin(origin, request);
    }

    /// <summary>Whether the request has none of the headers that a browser adds to a request from a page. A browser can't be made to send
    /// JSON to another site without them, so that a program may call the API.</summary>
    public static bool IsNoBrowser(IHeaderDictionary headers) => headers.Origin.Count == 0 && headers[Site].Count == 0;

    private static string? SiteOf(IHeaderDictionary headers) => headers[Site].ToString() is { Length: > 0 } site ? site : null;

    private static bool IsSameOrigin(string origin, HttpRequest request)
        => Uri.TryCreate(origin, UriKind.Absolute, out var sender)
            && Uri.TryCreate($"{request.Scheme}://{request.Host}", UriKind.Absolute, out var own)
            && sender.Scheme == own.Scheme
            && sender.Host.Equals(own.Host, StringComparison.OrdinalIgnoreCase)
            && sender.Port == own.Port;
}
