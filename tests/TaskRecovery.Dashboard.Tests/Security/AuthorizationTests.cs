using System.Net;
using System.Text;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Every route, with each right and without it.</summary>
public sealed class AuthorizationTests
{
    // Part of the arguments and of the unique key of the failed entry: order 84,000 + 4,104 and so on.
    private const string Argument = "88187";

    [Fact]
    public async Task Without_any_policy_every_route_is_closed_and_says_how_to_open_it()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { Policy = null });

        foreach (var path in Requests.Pages.Concat(Requests.Files))
        {
            using var response = await app.Client.SendAsync(Requests.Get(path, roles: "data,ops"), TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            Assert.Contains("RequireAuthorization(&quot;staff&quot;)", await response.Content.ReadAsStringAsync(
                TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        Assert.All(await PostAllAsync(app, "data,ops"), static status => Assert.Equal(HttpStatusCode.Forbidden, status));
        Assert.Empty(app.Operations.Done);
        Assert.Empty(app.System.Asked);
    }

    [Fact]
    public async Task In_development_a_browser_on_this_machine_may_look_but_not_act()
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Open(), new AppSetup { Policy = null, Environment = "Development", DataPolicy = null, OperatePolicy = null });

        using var page = await app.Client.SendAsync(Requests.Get("jobs/", user: null), TestContext.Current.CancellationToken);
        using var forwarded = Requests.Get("jobs/", user: null);
        forwarded.Headers.Add("X-Forwarded-For", "10.0.0.7");
        using var refused = await app.Client.SendAsync(forwarded, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.All(await PostAllAsync(app, "data,ops", user: null), static status => Assert.Equal(HttpStatusCode.Forbidden, status));
    }

    [Fact]
    public async Task A_fallback_policy_is_a_policy()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { Policy = null, HasFallbackPolicy = true });

        using var anonymous = await app.Client.SendAsync(Requests.Get("jobs/", user: null), TestContext.Current.CancellationToken);
        using var known = await app.Client.SendAsync(Requests.Get("jobs/"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
    }

    [Fact]
    public async Task A_user_without_the_policy_sees_no_page_and_no_asset()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        foreach (var path in Requests.Pages.Concat(Requests.Files))
        {
            using var response = await app.Client.SendAsync(Requests.Get(path, user: null), TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        Assert.Empty(app.System.Asked);
    }

    [Fact]
    public async Task Who_may_only_look_sees_every_page_without_data_and_without_buttons()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        foreach (var path in Requests.Pages)
        {
            using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);
            var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.DoesNotContain("method=\"post\"", page, StringComparison.Ordinal);
            Assert.DoesNotContain("Ada Lovelace", page, StringComparison.Ordinal);
            Assert.DoesNotContain("HttpRequestException", page, StringComparison.Ordinal);
            Assert.DoesNotContain($"order-{84_000 + Shop.FailedEntry}", page, StringComparison.Ordinal);
            Assert.DoesNotContain("acme", page, StringComparison.Ordinal);
            Assert.DoesNotContain("INV-2026", page, StringComparison.Ordinal);
            Assert.DoesNotContain("SKU 2210", page, StringComparison.Ordinal);
            Assert.DoesNotContain("Adding up orders", page, StringComparison.Ordinal);
            Assert.DoesNotContain(Argument, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_may_see_data_sees_them()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var failed = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.FailedEntry}", roles: "data"), TestContext.Current.CancellationToken);
        var page = await failed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("Ada Lovelace", page, StringComparison.Ordinal);
        Assert.Contains("HttpRequestException", page, StringComparison.Ordinal);
        Assert.Contains("acme", page, StringComparison.Ordinal);
        Assert.DoesNotContain("method=\"post\"", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text=Lovelace")]
    [InlineData("key=order-88104")]
    [InlineData("meta=tenant%3Dacme")]
    [InlineData("text=Lovelace&group=kind")]
    public async Task Who_may_not_see_data_may_not_search_them(string filter)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(Requests.Get($"jobs/entries?{filter}"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("reads data", page, StringComparison.Ordinal);
        Assert.DoesNotContain("list", app.System.Asked);
        Assert.DoesNotContain("group", app.System.Asked);
    }

    [Fact]
    public async Task A_bulk_operation_on_a_data_search_needs_the_right_to_see_data()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var response = await app.Client.SendAsync(
            Requests.Post("jobs/operations/prepare", fields: [("do", "cancel-all"), ("filter", "text=Lovelace")]),
            TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Null(app.Operations.Prepared);
    }

    [Theory]
    [InlineData("args")]
    [InlineData("result")]
    public async Task A_download_needs_the_right_to_see_data(string part)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        using var refused = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.CompletedEntry}/{part}"), TestContext.Current.CancellationToken);
        using var sent = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.CompletedEntry}/{part}", roles: "data"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        Assert.Equal("attachment", sent.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal("sandbox; default-src 'none'", sent.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task Without_the_right_to_act_every_action_is_refused_and_recorded_once()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var statuses = await PostAllAsync(app, "data");

        Assert.All(statuses, static status => Assert.Equal(HttpStatusCode.Forbidden, status));
        Assert.Equal("refused: retry entry 4104", Assert.Single(app.Operations.Done).Action);
    }

    [Fact]
    public async Task With_the_right_to_act_every_action_is_done_in_the_name_of_the_user()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var statuses = await PostAllAsync(app, "ops");

        Assert.All(statuses, static status => Assert.Equal(HttpStatusCode.SeeOther, status));
        Assert.All(
            app.Operations.Done,
            static done => Assert.Equal(("ada", "dashboard", "because"), (done.Audit.Actor, done.Audit.Tool, done.Audit.Reason)));
        Assert.Superset(
            new HashSet<string> { $"run {Shop.ReportJob}", $"delete {Shop.ReportJob}" },
            app.Operations.Done.Select(static done => done.Action).ToHashSet());
    }

    [Theory]
    [InlineData(null, "", null, HttpStatusCode.Unauthorized)]
    [InlineData("ada", "", null, HttpStatusCode.Forbidden)]
    [InlineData("ada", "data", null, HttpStatusCode.Forbidden)]
    [InlineData("ada", "ops", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("ada", "ops", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("ada", "ops", null, HttpStatusCode.OK)]
    [InlineData("ada", "ops", "same-origin", HttpStatusCode.OK)]
    public async Task Every_action_of_the_api_needs_the_right_and_no_other_site(
        string? user, string roles, string? site, HttpStatusCode expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        foreach (var path in Requests.Posts)
        {
            using var request = Requests.Post($"jobs/api/{path["jobs/".Length..]}", user, roles, site);
            request.Content = new StringContent(BodyOf(path), Encoding.UTF8, "application/json");
            using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal((path, expected), (path, response.StatusCode));
        }

        // A refusal is recorded; nothing else is done.
        var done = app.Operations.Done.Where(static one => !one.Action.StartsWith("refused", StringComparison.Ordinal)).ToList();
        Assert.Equal(expected == HttpStatusCode.OK, done.Count > 0);
        Assert.All(done, static one => Assert.Equal("because", one.Audit.Reason));
    }

    [Fact]
    public async Task Without_an_answer_what_a_user_may_see_nothing_is_shown()
    {
        Func<System.Security.Claims.ClaimsPrincipal, EntryScope?>[] scopes =
            [static _ => throw new InvalidOperationException("no tenant"), static _ => new EntryScope()];
        foreach (var scope in scopes)
        {
            await using var app = await DashboardApp.StartAsync(
                Shop.Open(), new AppSetup { Configure = options => options.Scope = scope });

            foreach (var path in Requests.Pages)
            {
                using var response = await app.Client.SendAsync(Requests.Get(path), TestContext.Current.CancellationToken);

                Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            }

            Assert.All(await PostAllAsync(app, "ops"), static status => Assert.Equal(HttpStatusCode.Forbidden, status));
            Assert.Empty(app.System.Asked);
            Assert.Empty(app.Operations.Done);
        }
    }

    private static string BodyOf(string path) => path switch
    {
        "jobs/operations/prepare" => """{"do":"retry","id":[4104],"reason":"because"}""",
        _ when path.EndsWith("/delete", StringComparison.Ordinal) => """{"confirm":"monthly-report","reason":"because"}""",
        _ when path.Contains("/queues/", StringComparison.Ordinal) || path.Contains("/kinds/", StringComparison.Ordinal)
            => """{"name":"mail","reason":"because"}""",
        _ => """{"reason":"because"}""",
    };

    private static async Task<List<HttpStatusCode>> PostAllAsync(DashboardApp app, string roles, string? user = "ada")
    {
        var statuses = new List<HttpStatusCode>();
        foreach (var path in Requests.Posts)
        {
            using var response = await app.Client.SendAsync(Requests.Post(path, user, roles), TestContext.Current.CancellationToken);
            statuses.Add(response.StatusCode);
        }

        return statuses;
    }
}
