using System.Net;
using System.Security.Claims;
using TaskRecovery.Dashboard.Security;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>The name under which a user acts is the user's alone, and forges no line of a log.</summary>
public sealed class ActorTests
{
    [Theory]
    [InlineData("Ada", null, null, "Ada")]
    [InlineData("Ada", "svc-a", null, "Ada (svc-a)")]
    [InlineData("ada", "ada", null, "ada")]
    [InlineData(null, "svc-a", "app-1", "svc-a")]
    [InlineData(null, null, "app-1", "client app-1")]
    [InlineData(" ", null, null, "unnamed user")]
    [InlineData("A\nB", null, null, @"A\u000aB")]
    public void An_actor_is_the_name_with_the_id(string? name, string? subject, string? client, string expected)
        => Assert.Equal(expected, Actor.Of(Signed(name, subject, client), null));

    [Fact]
    public void An_id_is_never_cut_off()
    {
        var one = Actor.Of(Signed(string.Concat(Enumerable.Repeat("😀", 150)), "id-1", null), null);
        var other = Actor.Of(Signed(new string('x', 300), new string('y', 300), null), null);

        Assert.EndsWith(" (id-1)", one, StringComparison.Ordinal);
        Assert.InRange(one.Length, 1, 200);
        Assert.InRange(other.Length, 1, 200);
    }

    [Fact]
    public void The_application_may_choose_the_name()
    {
        Assert.Equal("ops/ada", Actor.Of(Signed("Ada", "1", null), static user => $"ops/{user.Identity!.Name!.ToLowerInvariant()}"));
        Assert.Equal("Ada (1)", Actor.Of(Signed("Ada", "1", null), static _ => null));
        Assert.Equal("anonymous", Actor.Of(new ClaimsPrincipal(new ClaimsIdentity()), null));
    }

    [Fact]
    public async Task Without_a_name_nothing_is_shown_or_done()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            HasApi = true,
            Configure = static options => options.UserName = static _ => throw new InvalidOperationException("no directory"),
        });

        foreach (var request in (HttpRequestMessage[])
            [Requests.Get("jobs/"), Requests.Get("jobs/api/kinds"), Requests.Post("jobs/queues/pause")])
        {
            using (request)
            {
                using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            }
        }

        Assert.Equal(3, app.Log.Lines.Count(static line => line.StartsWith("6010", StringComparison.Ordinal)));
        Assert.Empty(app.System.Asked);
        Assert.Empty(app.Operations.Done);
    }

    [Fact]
    public async Task A_token_without_a_name_acts_under_its_subject()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        using var request = Requests.Post("jobs/queues/pause", user: null);
        request.Headers.Add(HeaderAuthentication.SubjectHeader, "svc-a");
        request.Headers.Add(HeaderAuthentication.RolesHeader, "ops");

        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Contains("svc-a", Assert.Single(app.Operations.Done).Audit.Actor, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ops")]
    public async Task No_text_of_a_request_begins_a_line_of_the_log(string roles)
    {
        const string Forged = "mail\n6003: ada: delete job 1: done\u2028x";
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        foreach (var path in (string[])["jobs/queues/pause", "jobs/kinds/resume", "jobs/operations/prepare", "jobs/api/queues/pause"])
        {
            using var request = Requests.Post(
                path, roles: roles, fields: [("name", Forged), ("do", Forged), ("filter", Forged), ("reason", Forged)]);
            using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        }

        using var page = await app.Client.SendAsync(
            Requests.Get($"jobs/entries?state={Uri.EscapeDataString(Forged)}&trace={Uri.EscapeDataString(Forged)}"),
            TestContext.Current.CancellationToken);
        using var address = await app.Client.SendAsync(
            Requests.Get($"jobs/-/{Uri.EscapeDataString(Forged)}", user: null), TestContext.Current.CancellationToken);

        // The framework's own lines have line breaks of their own.
        var lines = app.Log.Lines.Where(static line => line.StartsWith("600", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, static line => Assert.False(line.Contains('\n') || line.Contains('\u2028'), line));
    }

    private static ClaimsPrincipal Signed(string? name, string? subject, string? client)
    {
        var claims = new List<Claim>();
        Add(ClaimTypes.Name, name);
        Add("sub", subject);
        Add("client_id", client);
        return new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));

        void Add(string type, string? value)
        {
            if (value is not null)
            {
                claims.Add(new Claim(type, value));
            }
        }
    }
}
