using System.Net;
using Microsoft.AspNetCore.Http;
using TaskRecovery.Dashboard.Security;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Where a request comes from, as a table.</summary>
public sealed class RequestOriginTests
{
    [Theory]
    [InlineData("same-origin", "https://ops.example.org", true)]
    [InlineData("same-origin", null, true)]
    [InlineData("same-origin", "https://rewritten.by.proxy", true)]
    [InlineData("same-origin", "null", false)]
    [InlineData("none", "https://ops.example.org", false)]
    [InlineData("same-site", "https://ops.example.org", false)]
    [InlineData("cross-site", "https://ops.example.org", false)]
    [InlineData("cross-site", "https://evil.example", false)]
    [InlineData(null, "https://ops.example.org", true)]
    [InlineData(null, "https://ops.example.org:443", true)]
    [InlineData(null, "https://OPS.example.org", true)]
    [InlineData(null, "http://ops.example.org", false)]
    [InlineData(null, "https://ops.example.org:8443", false)]
    [InlineData(null, "https://ops.example.org.evil.example", false)]
    [InlineData(null, "null", false)]
    [InlineData(null, "not an origin", false)]
    [InlineData(null, null, false)]
    public void A_post_is_accepted_from_the_same_origin_only(string? site, string? origin, bool expected)
    {
        var request = Context("ops.example.org", "https").Request;
        Set(request.Headers, "Sec-Fetch-Site", site);
        Set(request.Headers, "Origin", origin);

        Assert.Equal(expected, RequestOrigin.MayWrite(request));
    }

    [Theory]
    [InlineData(null, null, null, true)]
    [InlineData("same-origin", "cors", "empty", true)]
    [InlineData("none", "navigate", "document", true)]
    [InlineData("cross-site", "navigate", "document", true)]
    [InlineData("cross-site", "navigate", "iframe", false)]
    [InlineData("cross-site", "no-cors", "image", false)]
    [InlineData("same-site", "cors", "empty", false)]
    public void A_get_from_another_site_is_a_navigation_or_nothing(string? site, string? mode, string? destination, bool expected)
    {
        var headers = Context("ops.example.org", "https").Request.Headers;
        Set(headers, "Sec-Fetch-Site", site);
        Set(headers, "Sec-Fetch-Mode", mode);
        Set(headers, "Sec-Fetch-Dest", destination);

        Assert.Equal(expected, RequestOrigin.MayRead(headers));
    }

    [Theory]
    [InlineData("ops.example.org", "OPS.example.org", true)]
    [InlineData("[::1]", "::1", true)]
    [InlineData("[::1]", "[::1]", true)]
    [InlineData("evil.example", "ops.example.org", false)]
    public void A_host_of_the_list_is_allowed(string host, string allowed, bool expected)
        => Assert.Equal(expected, RequestOrigin.IsHostAllowed(host, [allowed], isBoundToHost: true));

    [Theory]
    [InlineData("127.0.0.1", "localhost", null, true)]
    [InlineData("127.0.0.1", "127.0.0.1", null, true)]
    [InlineData("::1", "[::1]", null, true)]
    [InlineData("127.0.0.1", "rebound.evil.example", null, false)]
    [InlineData("10.0.0.7", "localhost", null, false)]
    [InlineData("127.0.0.1", "localhost", "X-Forwarded-For", false)]
    [InlineData("127.0.0.1", "localhost", "x-forwarded-proto", false)]
    [InlineData("127.0.0.1", "localhost", "Forwarded", false)]
    [InlineData("127.0.0.1", "localhost", "X-Real-IP", false)]
    [InlineData("127.0.0.1", "localhost", "Via", false)]
    [InlineData("127.0.0.1", "localhost", "X-Original-For", false)]
    public void Direct_loopback_has_no_proxy_and_no_foreign_name(string remote, string host, string? header, bool expected)
    {
        var context = Context(host, "http");
        context.Connection.RemoteIpAddress = IPAddress.Parse(remote);
        Set(context.Request.Headers, header ?? "Accept", "10.0.0.7");

        Assert.Equal(expected, RequestOrigin.IsDirectLoopback(context));
    }

    [Theory]
    [InlineData("jobs.example.org", new[] { "jobs.example.org" }, false, true)]
    [InlineData("JOBS.example.org", new[] { "jobs.example.org" }, false, true)]
    [InlineData("evil.example", new[] { "jobs.example.org" }, true, false)]
    [InlineData("localhost", new[] { "jobs.example.org" }, true, false)]
    [InlineData("anything.example", new string[0], true, true)]
    [InlineData("anything.example", new string[0], false, false)]
    [InlineData("localhost", new string[0], false, true)]
    [InlineData("10.1.2.3", new string[0], false, true)]
    public void A_host_is_allowed_by_the_list_or_can_not_be_rebound(string host, string[] allowed, bool isBoundToHost, bool expected)
        => Assert.Equal(expected, RequestOrigin.IsHostAllowed(host, allowed, isBoundToHost));

    private static DefaultHttpContext Context(string host, string scheme)
    {
        var context = new DefaultHttpContext();
        context.Request.Host = HostString.FromUriComponent(host);
        context.Request.Scheme = scheme;
        return context;
    }

    private static void Set(IHeaderDictionary headers, string name, string? value)
    {
        if (value is not null)
        {
            headers[name] = value;
        }
    }
}
