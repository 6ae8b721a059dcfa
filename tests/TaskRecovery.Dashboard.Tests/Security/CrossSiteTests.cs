using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Another site can't act in the name of a user, and can't read or embed a page.</summary>
public sealed class CrossSiteTests
{
    [Theory]
    [InlineData("cross-site", "https://evil.example")]
    [InlineData("same-site", "https://other.example.org")]
    [InlineData("none", null)]
    [InlineData(null, "https://evil.example")]
    [InlineData(null, "null")]
    [InlineData("same-origin", "null")]
    [InlineData(null, null)]
    public async Task No_action_is_done_for_another_site(string? site, string? origin)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        foreach (var path in Requests.Posts)
        {
            using var request = Requests.Post(path, site: site);
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin);
            }

            using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }

        Assert.Empty(app.Operations.Done);
    }

    [Fact]
    public async Task Every_answer_has_the_headers_that_keep_other_sites_out()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        foreach (var path in Requests.Pages.Append("jobs/entries/1").Append("jobs/operations/99"))
        {
            using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("same-origin", response.Headers.GetValues("Referrer-Policy").Single());
            Assert.True(response.Headers.CacheControl?.NoStore);
        }
    }

    [Fact]
    public async Task A_page_is_not_embedded_by_another_site()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Get("jobs/", site: "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Sec-Fetch-Dest", "iframe");

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_name_that_is_not_on_the_list_is_refused()
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Open(), new AppSetup { Configure = static options => options.AllowedHosts.Add("jobs.example.org") });
        using var rebound = Requests.Get("jobs/");
        rebound.Headers.Host = "evil.example";
        using var own = Requests.Get("jobs/");
        own.Headers.Host = "jobs.example.org";

        using var refused = await app.Client.SendAsync(rebound, TestContext.Current.CancellationToken);
        using var answered = await app.Client.SendAsync(own, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    [InlineData("localhost", HttpStatusCode.OK)]
    public async Task A_login_that_a_browser_proves_to_any_host_needs_a_list_of_hosts(string host, HttpStatusCode expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Get("jobs/");
        request.Headers.Host = host;
        request.Headers.Add("Cookie", "planted=1");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer planted");

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_cookie_belongs_to_its_host()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasCookieLogin = true });
        using var login = await app.Client.GetAsync("login", TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "jobs/");
        request.Headers.Host = "jobs.example.org";
        request.Headers.Add("Cookie", login.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task An_action_is_a_form_and_nothing_else()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Post($"jobs/entries/{Shop.FailedEntry}/retry");
        request.Content = new StringContent("{}", System.Text.Encoding.UTF8, "text/plain");

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Empty(app.Operations.Done);
    }
}
