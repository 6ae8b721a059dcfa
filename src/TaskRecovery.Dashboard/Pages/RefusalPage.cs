using System.Security.Cryptography;
using System.Text;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Security;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The page that says why the user may not see the dashboard. Its style is part of it, because such a user may not read the style
/// sheet either.</summary>
internal static class RefusalPage
{
    // No character that HTML encodes, so that the encoded text is the hashed one.
    private const string Style =
        ":root{color-scheme:light dark;font:400 15px/1.55 "
        + "Inter,system-ui,sans-serif;background:light-dark(#f6f7f6,#0d110f);color:light-dark(#16201a,#e4eae6)}"
        + "main{max-width:38rem;margin:14vh auto 0;padding:0 1.25rem}h1{font-size:1.375rem;letter-spacing:-.018em;margin:0 0 .5rem}"
        + "p{margin:0 0 1rem}pre{padding:.75rem "
        + "1rem;border-radius:8px;background:light-dark(#eceeec,#1c231f);overflow:auto;font:.875rem/1.5 ui-monospace,monospace}"
        + "a{color:inherit}small{color:light-dark(#57635c,#97a39c)}";

    /// <summary>The content security policy under which the style, and nothing else, is used.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The page, which reaches the dashboard's root by <paramref name="root"/>.</summary>
    public static Markup Render(Refusal refusal, string root) => Html($"""
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>{refusal.Title} · TaskRecovery</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"><style>{Style}</style></head>
        <body><main><h1>{refusal.Title}</h1><p>{refusal.Text}</p>{Each(refusal.Look, page => Html(
            $"<p><a href=\"{root + page}\">{page}</a></p>"))}{When(refusal.Code is not null, Html(
            $"<pre><code>{refusal.Code}</code></pre>"))}<small>TaskRecovery · {refusal.Status}</small></main></body></html>

        """);
}
