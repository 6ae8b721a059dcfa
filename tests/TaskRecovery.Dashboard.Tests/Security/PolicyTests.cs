using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>The policies of the three rights are evaluated as those of any endpoint are.</summary>
public sealed class PolicyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Development")]
    [InlineData("Production")]
    public async Task Each_request_has_its_own_handlers_of_authorization(string environment)
    {
        var seen = new ConcurrentDictionary<Rights, bool>();
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            Environment = environment,
            Services = services => AddRights(services, seen),
        });

        for (var request = 0; request < 2; request++)
        {
            using var response = await app.Client.SendAsync(Requests.Get("jobs/queues", roles: "data,ops"), Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public async Task A_policy_that_names_a_scheme_asks_for_a_login_of_this_scheme()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            HasApi = true,
            DataPolicy = "second",
            OperatePolicy = "second",
            Services = static services =>
            {
                services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, SecondLogin>(SecondLogin.Name, null);
                services.AddAuthorization(static options => options.AddPolicy(
                    "second", static policy => policy.AddAuthenticationSchemes(SecondLogin.Name).RequireRole("second")));
            },
        });

        var weak = await ReadAsync(app, SecondLogin.Nobody);
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(app, SecondLogin.Nobody));
        Assert.StartsWith("refused", Assert.Single(app.Operations.Done).Action, StringComparison.Ordinal);
        var strong = await ReadAsync(app, "ada@second");
        Assert.Equal(HttpStatusCode.SeeOther, await PostAsync(app, "ada@second"));

        Assert.DoesNotContain("method=\"post\"", weak, StringComparison.Ordinal);
        Assert.DoesNotContain("Lovelace", weak, StringComparison.Ordinal);
        Assert.Contains("method=\"post\"", strong, StringComparison.Ordinal);
        Assert.Contains("Lovelace", strong, StringComparison.Ordinal);
        Assert.Equal("ada", app.Operations.Done[^1].Audit.Actor);
    }

    private static async Task<string> ReadAsync(DashboardApp app, string second)
    {
        using var request = Requests.Get($"jobs/entries/{Shop.FailedEntry}", roles: "second");
        request.Headers.Add(SecondLogin.Header, second);
        using var response = await app.Client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<HttpStatusCode> PostAsync(DashboardApp app, string second)
    {
        using var request = Requests.Post("jobs/queues/pause", roles: "second");
        request.Headers.Add(SecondLogin.Header, second);
        using var response = await app.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static void AddRights(IServiceCollection services, ConcurrentDictionary<Rights, bool> seen)
    {
        services.AddSingleton(seen);
        services.AddScoped<Rights>();
        services.AddScoped<IAuthorizationHandler, RightsHandler>();
    }

    /// <summary>A login besides that of the pages, such as one with a second factor.</summary>
    private sealed class SecondLogin(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        public const string Name = "Second";
        public const string Header = "Test-Second";
        public const string Nobody = "nobody";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var user = Request.Headers[Header].ToString();
            if (user == Nobody)
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, "second")], Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name)));
        }
    }

    /// <summary>What an application reads once for each request.</summary>
    private sealed class Rights;

    private sealed class RightsHandler(Rights rights, ConcurrentDictionary<Rights, bool> seen) : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context)
        {
            seen[rights] = true;
            return Task.CompletedTask;
        }
    }
}
