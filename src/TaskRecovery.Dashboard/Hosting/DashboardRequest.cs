using System.Globalization;
using Microsoft.AspNetCore.Http;
using TaskRecovery.Dashboard.Security;
using TaskRecovery.Storage;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>A request that may be answered: who asks, and for what. A page gets its input from here only.</summary>
/// <param name="context">The request.</param>
/// <param name="access">What its user may do.</param>
/// <param name="root">How the page reaches the dashboard's root: <c>./</c> or <c>../</c>. All links begin with it, so that they work under
/// any path base and behind any proxy.</param>
internal sealed class DashboardRequest(HttpContext context, Access access, string root)
{
    private const int MaxParameter = 1_000;

    public Access Access => access;

    public string Root => root;

    public CancellationToken Aborted => context.RequestAborted;

    public HttpContext Context => context;

    /// <summary>The fields of a posted form; empty for a GET.</summary>
    public IFormCollection Form { get; init; } = FormCollection.Empty;

    /// <summary>A parameter of the address, trimmed; <see langword="null"/> if it is absent, empty or unreasonably long.</summary>
    public string? Query(string name) => Usable(context.Request.Query[name].ToString().Trim());

    /// <summary>A parameter of the address exactly as it is, for a stored name, which may begin or end with white space;
    /// <see langword="null"/> if it is absent, blank or unreasonably long.</summary>
    public string? Exact(string name) => Usable(context.Request.Query[name]);

    /// <summary>A field of the posted form exactly as it is; <see langword="null"/> if it is absent, blank or unreasonably long.</summary>
    public string? Field(string name) => Usable(Form[name]);

    /// <summary>A parameter of the address that is a whole number; <see langword="null"/> if it is absent or something else.</summary>
    public long? Number(string name) => Whole(Query(name));

    /// <summary>The number in the address of an entry or operation. The route admits nothing else.</summary>
    public long Id => long.Parse(Route("id")!, CultureInfo.InvariantCulture);

    /// <summary>The id in the address of a job. The route admits nothing else.</summary>
    public Guid JobId => Guid.Parse(Route("id")!);

    /// <summary>A text as a whole number, without a sign; <see langword="null"/> if it is something else.</summary>
    public static long? Whole(string? text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A text as a time, which is UTC without an offset; <see langword="null"/> if it is something else.</summary>
    public static DateTimeOffset? Time(string text) => TimeText.Read(text);

    public string? Route(string name) => context.Request.RouteValues[name] as string;

    /// <summary>The address of a page of the dashboard, relative to this one.</summary>
    public string Href(string path) => root + path;

    private static string? Usable(string? value)
        => !string.IsNullOrWhiteSpace(value) && value.Length <= MaxParameter && !value.Contains('\0', StringComparison.Ordinal)
            ? value
            : null;
}
