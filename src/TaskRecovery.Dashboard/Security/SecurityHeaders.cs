using Microsoft.AspNetCore.Http;

namespace TaskRecovery.Dashboard.Security;

/// <summary>The headers of every response, of a refusal too.</summary>
internal static class SecurityHeaders
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    public static void Apply(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";

        // Not no-referrer: with it a browser sends "Origin: null" with a form, and its origin could not be compared.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>A stored text as a file: it is saved and never shown as a page of this site.</summary>
    public static void ApplyDownload(HttpResponse response, string fileName)
    {
        response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
    }
}
