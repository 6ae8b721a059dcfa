using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using TaskRecovery.Dashboard.Actions;
using TaskRecovery.Dashboard.Api;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>The JSON API: the contract, the rights, and that data stay hidden.</summary>
public sealed partial class ApiTests(OpenShop open) : IClassFixture<OpenShop>
{
    [Fact]
    public async Task The_contract_names_exactly_the_routes_that_exist()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        var actual = app.Endpoints.OfType<RouteEndpoint>()
            .Where(static endpoint => endpoint.RoutePattern.RawText!.StartsWith("/jobs/api/", StringComparison.Ordinal))
            .Select(static endpoint =>
                $"{endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods[0]} {Constraint().Replace(
                    endpoint.RoutePattern.RawText!["/jobs/api".Length..], "}")}");
        using var contract = JsonDocument.Parse(await File.ReadAllTextAsync(Contract(), TestContext.Current.CancellationToken));
        var named = contract.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(static path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));

        Assert.Equal(named.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_contract_names_exactly_the_conditions_that_are_accepted()
    {
        using var contract = JsonDocument.Parse(await File.ReadAllTextAsync(Contract(), TestContext.Current.CancellationToken));

        var questions = open.App.Endpoints.OfType<RouteEndpoint>().Where(
            static endpoint => endpoint.Metadata.GetMetadata<Parameters>() is not null).ToList();

        Assert.Equal(18, questions.Count);
        Assert.All(questions, endpoint =>
        {
            var path = Constraint().Replace(endpoint.RoutePattern.RawText!["/jobs/api".Length..], "}");
            var named = contract.RootElement.GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("parameters")
                .EnumerateArray().Where(static one => one.GetProperty("in").GetString() == "query")
                .Select(static one => one.GetProperty("name").GetString()!);
            Assert.Equal(
                named.Order(StringComparer.Ordinal),
                endpoint.Metadata.GetRequiredMetadata<Parameters>().Names.Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public async Task The_contract_names_exactly_the_members_that_a_body_may_have()
    {
        using var contract = JsonDocument.Parse(await File.ReadAllTextAsync(Contract(), TestContext.Current.CancellationToken));

        var bodies = open.App.Endpoints.OfType<RouteEndpoint>()
            .Select(static endpoint => (Path: endpoint.RoutePattern.RawText!, Action: endpoint.Metadata.GetMetadata<IAction>()))
            .Where(static body => body.Action is not null).ToList();

        Assert.Equal(14, bodies.Count);
        Assert.All(bodies, body =>
        {
            var schema = contract.RootElement.GetProperty("paths").GetProperty(Constraint().Replace(body.Path["/jobs/api".Length..], "}"))
                .GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json")
                .GetProperty("schema");
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
            Assert.Equal(
                schema.GetProperty("properties").EnumerateObject().Select(static one => one.Name).Order(StringComparer.Ordinal),
                body.Action!.Members.Order(StringComparer.Ordinal));
        });
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("kinds")]
    [InlineData("nodes")]
    [InlineData("jobs")]
    [InlineData("tasks")]
    [InlineData("events")]
    [InlineData("entries?state=failed")]
    [InlineData("groups?by=queue")]
    [InlineData("entries/4104")]
    [InlineData("operations")]
    [InlineData("operations/5")]
    [InlineData("operations/5/entries?refused=true&limit=7")]
    [InlineData("throughput?by=kind&bucket=5")]
    [InlineData("jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11")]
    [InlineData("search?q=mail")]
    public async Task Every_question_is_answered_and_hides_data(string path)
    {
        using var response = await open.App.Client.SendAsync(Requests.Get($"jobs/api/{path}"), TestContext.Current.CancellationToken);
        using var anonymous = await open.App.Client.SendAsync(
            Requests.Get($"jobs/api/{path}", user: null), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("Lovelace", text, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", text, StringComparison.Ordinal);
        Assert.DoesNotContain("HttpRequestException", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
    }

    [Fact]
    public async Task Who_may_see_data_gets_them()
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get("jobs/api/entries/4104", roles: "data"), TestContext.Current.CancellationToken);

        Assert.Contains(
            "Lovelace", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("entries?text=Lovelace", "data", HttpStatusCode.OK)]
    [InlineData("entries?text=Lovelace", "", HttpStatusCode.Forbidden)]
    [InlineData("groups?key=order-88104", "", HttpStatusCode.Forbidden)]
    [InlineData("entries?state=fast", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?stat=failed", "", HttpStatusCode.BadRequest)]
    [InlineData("groups?by=color", "", HttpStatusCode.BadRequest)]
    [InlineData("groups?by=99", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?state=fast", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?state=3", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?state=running,completed", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?state=running&state=completed", "", HttpStatusCode.BadRequest)]
    [InlineData("groups?by=reason,queue", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?from=11/12/2026", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?from=22:30", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?from=2026-11-29T12:30:00.5Z&to=2026-11-30", "", HttpStatusCode.OK)]
    [InlineData("entries?from=2026-11-29%2012:30", "", HttpStatusCode.OK)]
    [InlineData("throughput?from=11-12-2026", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?job=7", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?stat=failed", "", HttpStatusCode.BadRequest)]
    [InlineData("events?before=yesterday", "", HttpStatusCode.BadRequest)]
    [InlineData("events?nod=a", "", HttpStatusCode.BadRequest)]
    [InlineData("events?node=a%00b", "", HttpStatusCode.BadRequest)]
    [InlineData("operations?before=x", "", HttpStatusCode.BadRequest)]
    [InlineData("kinds?queue=mail", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?state=FAILED&before=", "", HttpStatusCode.OK)]
    [InlineData("entries/1", "", HttpStatusCode.NotFound)]
    [InlineData("entries/4127/log", "", HttpStatusCode.Forbidden)]
    [InlineData("entries/4127/steps/1", "", HttpStatusCode.Forbidden)]
    [InlineData("entries/4127/checkpoint", "", HttpStatusCode.Forbidden)]
    [InlineData("entries/1/log", "", HttpStatusCode.Forbidden)]
    [InlineData("entries/1/log", "data", HttpStatusCode.NotFound)]
    [InlineData("entries/4127/steps/0", "data", HttpStatusCode.NotFound)]
    [InlineData("entries/4127/steps/5", "data", HttpStatusCode.NotFound)]
    [InlineData("entries/4104/checkpoint", "data", HttpStatusCode.NotFound)]
    [InlineData("operations/99/entries", "", HttpStatusCode.NotFound)]
    [InlineData("operations/5/entries?refused=maybe", "", HttpStatusCode.BadRequest)]
    [InlineData("throughput?from=yesterday", "", HttpStatusCode.BadRequest)]
    [InlineData("throughput?by=color", "", HttpStatusCode.BadRequest)]
    [InlineData("throughput?bucket=1.5", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?limit=0", "", HttpStatusCode.BadRequest)]
    [InlineData("entries?limit=1001", "", HttpStatusCode.BadRequest)]
    [InlineData("tasks?limit=x", "", HttpStatusCode.BadRequest)]
    [InlineData("groups?limit=5", "", HttpStatusCode.BadRequest)]
    [InlineData("search", "", HttpStatusCode.BadRequest)]
    public async Task A_question_that_is_not_answered_is_a_problem(string path, string roles, HttpStatusCode expected)
    {
        using var response = await open.App.Client.SendAsync(
            Requests.Get($"jobs/api/{path}", roles: roles), TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK
            ? "application/json"
            : "application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("ops", null, null, HttpStatusCode.OK)]
    [InlineData("ops", "same-origin", null, HttpStatusCode.OK)]
    [InlineData("", null, null, HttpStatusCode.Forbidden)]
    [InlineData("ops", "cross-site", null, HttpStatusCode.Forbidden)]
    [InlineData("ops", null, "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("ops", null, "null", HttpStatusCode.Forbidden)]
    public async Task An_action_needs_the_right_and_no_other_site(string roles, string? site, string? origin, HttpStatusCode expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        using var request = Requests.Post("jobs/api/queues/pause", roles: roles, site: site);
        request.Content = JsonContent.Create(new { name = "mail", reason = "the provider is down", minutes = 15 });
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, app.Operations.Done.Count(
            static done => done is { Action: "pause queue mail", Audit.Reason: "the provider is down" }));
    }

    [Theory]
    [InlineData("application/json", "[1]", HttpStatusCode.BadRequest)]
    [InlineData("application/json", "{", HttpStatusCode.BadRequest)]
    [InlineData("text/plain", "{\"name\":\"mail\"}", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/x-www-form-urlencoded", "name=mail", HttpStatusCode.UnsupportedMediaType)]
    public async Task A_body_that_is_not_a_json_object_is_refused(string type, string body, HttpStatusCode expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        using var request = Requests.Post("jobs/api/queues/pause");
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, type);

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, response.StatusCode);
        Assert.Empty(app.Operations.Done);
    }

    [Theory]
    [InlineData("queues/pause", """{"name":"mail","minuts":30}""", "'minuts' is not a member")]
    [InlineData("queues/pause", """{"name":"mail","Minutes":30}""", "'Minutes' is not a member")]
    [InlineData("jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11/pause", """{"name":"mail"}""", "'name' is not a member")]
    [InlineData("entries/4104/retry", """{"from":"Start"}""", "'Start' can't be the value of 'from'. Use step or start.")]
    [InlineData("entries/4104/retry", """{"form":"start"}""", "'form' is not a member")]
    [InlineData("entries/4104/cancel", """{"from":"start"}""", "'from' is not a member")]
    [InlineData("operations/prepare", """{"do":"retry-all","filter":"kind=mail.*","from":"start"}""", "'from' is not a member")]
    [InlineData("queues/pause", """{"name":"mail","reason":"a\u0000b"}""", "The reason has a NUL character.")]
    [InlineData("queues/pause", """{"name":"mail","reason":"\ud800"}""", "")]
    [InlineData("queues/pause", """{"name":"mail","\ud800":1}""", "")]
    public async Task A_body_that_is_not_understood_does_nothing(string path, string body, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });

        using var response = await PostAsync(app, path, body);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(expected, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(app.Operations.Done);
    }

    [Fact]
    public async Task A_reason_is_stored_as_a_whole_or_nothing_is_done()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        var (reason, longer) = (new string('x', 2_000), new string('x', 2_001));

        using var done = await PostAsync(app, "queues/pause", $$"""{"name":"mail","reason":"{{reason}}"}""");
        using var refused = await PostAsync(app, "queues/pause", $$"""{"name":"mail","reason":"{{longer}}"}""");
        using var page = await app.Client.SendAsync(
            Requests.Post("jobs/queues/pause", fields: [("reason", longer)]), TestContext.Current.CancellationToken);

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest),
            (done.StatusCode, refused.StatusCode, page.StatusCode));
        Assert.Equal(reason, Assert.Single(app.Operations.Done).Audit.Reason);
    }

    private static async Task<HttpResponseMessage> PostAsync(DashboardApp app, string path, string body)
    {
        using var request = Requests.Post($"jobs/api/{path}");
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string Contract() => Path.Combine(RepositoryFolder.Root, "docs", "dashboard", "openapi.json");

    [GeneratedRegex(@":\w+\}")]
    private static partial Regex Constraint();
}
