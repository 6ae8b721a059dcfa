using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace TaskRecovery.Cli.Web;

/// <summary>Lets only the browser pass that opened the link.</summary>
internal sealed class SessionGate(OneTimeSession session, string actor)
{
    private const string Cookie = "taskrecovery";
    private const string LinkStart = "/open/";

    /// <summary>The path of the link that opens the dashboard once.</summary>
    public string Link => LinkStart + session.Token;

    /// <summary>Passes the request on, with the actor as its user, or answers it.</summary>
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        // A name that an attacker points at this machine is another origin in the browser, and reaches this process all the same.
        if (!string.Equals(context.Request.Host.Value, HostOf(context), StringComparison.Ordinal))
        {
            return RefuseAsync(context, "Unknown host name.");
        }

        var path = context.Request.Path;
        if (path.StartsWithSegments(session.Area, StringComparison.Ordinal) && session.Accepts(context.Request.Cookies[Cookie]))
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, actor)], authenticationType: Cookie));
            return next(context);
        }

        return path.Value is { } text && text.StartsWith(LinkStart, StringComparison.Ordinal)
            ? ExchangeAsync(context, text[LinkStart.Length..])
            : RefuseAsync(context, "Open the link that 'taskrecovery dashboard' has printed.");
    }

    private Task ExchangeAsync(HttpContext context, string token)
    {
        // A browser may load a link before the user opens it.
        if (!HttpMethods.IsGet(context.Request.Method) || context.Request.Headers.ContainsKey("Sec-Purpose"))
        {
            return RefuseAsync(context, "Open the link in a browser.");
        }

        if (session.Exchange(token) is not { } secret)
        {
            return RefuseAsync(context, "This link was used, or is not the right one. Start 'taskrecovery dashboard' again.");
        }

        context.Response.Cookies.Append(
            Cookie, secret, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = session.Area });
        Protect(context.Response);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"{session.Area}/";
        return Task.CompletedTask;
    }

    private static Task RefuseAsync(HttpContext context, string text)
    {
        Protect(context.Response);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static void Protect(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XContentTypeOptions = "nosniff";
    }

    private static string HostOf(HttpContext context)
        => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{context.Connection.LocalPort}");
}
