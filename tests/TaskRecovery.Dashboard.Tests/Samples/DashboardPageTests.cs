using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using TaskRecovery.Dashboard.Tests.Support;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/dashboard.md compile, and the logins admit whom they should.</summary>
public sealed class DashboardPageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_example_of_the_page_is_in_the_file_beside_this_one()
    {
        var code = PageExamples.CodeOf("tests/TaskRecovery.Dashboard.Tests/Samples", "DashboardPage.cs");
        var examples = PageExamples.Of("dashboard.md");

        Assert.Equal(14, examples.Count);
        Assert.All(
            examples.SelectMany(static example => example.Split("\n\n")),
            part => Assert.Contains(PageExamples.Squeeze(part), code, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("10.0.0.5", HttpStatusCode.OK)]
    [InlineData("::ffff:10.0.0.5", HttpStatusCode.OK)]
    [InlineData("10.0.0.6", HttpStatusCode.Unauthorized)]
    [InlineData("::1", HttpStatusCode.Unauthorized)]
    public async Task A_name_in_the_header_counts_only_from_the_address_of_the_proxy(string address, HttpStatusCode expected)
    {
        await using var app = await StartAsync(DashboardPage.AddProxyLogin, IPAddress.Parse(address));

        Assert.Equal(expected, (await GetAsync(app, "ada")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(app, user: null)).Status);
    }

    [Fact]
    public async Task Without_a_cookie_the_user_is_sent_to_the_login_page()
    {
        await using var app = await StartAsync(DashboardPage.AddCookie, IPAddress.Loopback);

        var (status, location) = await GetAsync(app, user: null);

        Assert.Equal((HttpStatusCode.Found, "/login"), (status, location?.AbsolutePath));
    }

    [Fact]
    public async Task Without_a_cookie_the_user_is_sent_to_the_authority()
    {
        await using var app = await StartAsync(
            static builder =>
            {
                builder.Configuration["Login:ClientId"] = "dashboard";
                DashboardPage.AddOpenId(builder);
                builder.Services.AddAuthorization(static options =>
                {
                    options.AddPolicy("staff", static policy => policy.RequireAuthenticatedUser());
                    options.AddPolicy("ops", static policy => policy.RequireRole("operator"));
                });

                // What the handler would read from the authority.
                builder.Services.Configure<OpenIdConnectOptions>(
                    OpenIdConnectDefaults.AuthenticationScheme,
                    static options => options.Configuration = new OpenIdConnectConfiguration
                    {
                        Issuer = "https://login.example.org/",
                        AuthorizationEndpoint = "https://login.example.org/authorize",
                    });
            },
            IPAddress.Loopback);

        var (status, location) = await GetAsync(app, user: null);

        Assert.Equal((HttpStatusCode.Found, "https://login.example.org/authorize"), (status, location?.GetLeftPart(UriPartial.Path)));
        Assert.Contains("client_id=dashboard&", location!.Query, StringComparison.Ordinal);
        Assert.Contains("response_type=code&", location.Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.5", "https", "ops.example.org", "/tools/login")]
    [InlineData("10.42.7.9", "https", "ops.example.org", "/tools/login")]
    [InlineData("10.0.0.6", "http", "127.0.0.1", "/login")]
    public async Task The_login_page_has_the_address_that_the_user_sees_if_the_proxy_is_known(
        string address, string scheme, string host, string path)
    {
        await using var app = await StartAsync(
            static builder =>
            {
                DashboardPage.AddCookie(builder);
                DashboardPage.AddForwardedHeaders(builder);
                DashboardPage.AddProxyNetwork(builder);
            },
            IPAddress.Parse(address),
            DashboardPage.MapBehindProxy);

        var (status, location) = await GetAsync(
            app, user: null, ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "ops.example.org"),
            ("X-Forwarded-Prefix", "/tools"));

        Assert.Equal(
            (HttpStatusCode.Found, scheme, host, path), (status, location?.Scheme, location?.Host, location?.AbsolutePath));
    }

    [Fact]
    public void A_user_sees_the_queue_or_the_entries_of_the_tenant_and_an_administrator_all()
    {
        var (byQueue, byMetadata) = (new DashboardOptions(), new DashboardOptions());
        DashboardPage.SetScope(byQueue);
        DashboardPage.SetScopeByMetadata(byMetadata);
        var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim("tenant", "acme")], "test"));
        var administrator = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Role, "admin")], "test"));

        Assert.Equal("acme", Assert.Single(byQueue.Scope!(user)!.Queues!));
        Assert.Null(byQueue.Scope!(administrator));
        Assert.Equal(KeyValuePair.Create("tenant", "acme"), byMetadata.Scope!(user)!.Metadata);
    }

    [Theory]
    [InlineData(DashboardPart.Metadata, "token", null)]
    [InlineData(DashboardPart.Metadata, "to", "ada@example.org")]
    [InlineData(DashboardPart.Args, null, "ada(at)example.org")]
    public void The_redactor_hides_a_token_and_masks_mail_addresses(DashboardPart part, string? name, string? expected)
    {
        var options = new DashboardOptions();
        DashboardPage.SetRedactor(options);

        Assert.Equal(expected, options.Redact!(new DashboardText(part, "mail", name, "ada@example.org")));
    }

    private static async Task<WebApplication> StartAsync(
        Action<WebApplicationBuilder> addLogin, IPAddress client, Action<WebApplication>? map = null)
    {
        var builder = RealApp.NewBuilder();
        var system = Shop.Open();
        builder.Services.AddSingleton<TimeProvider>(new FixedTime(system.Now));
        builder.Services.AddSingleton<IQueueMonitor>(new FakeMonitor(system));
        builder.Services.AddSingleton<IQueueOperator>(new FakeOperator(system));
        builder.Services.AddSingleton<IJobService>(new FakeJobs(system));
        addLogin(builder);
        builder.Services.AddTaskRecoveryDashboard(static options => options.DataPolicy = options.OperatePolicy = "ops");
        var app = builder.Build();
        app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = client;
            return next(context);
        });
        (map ?? MapDirectly)(app);
        await app.StartAsync(Cancellation);
        return app;
    }

    private static void MapDirectly(WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        DashboardPage.Map(app);
    }

    private static async Task<(HttpStatusCode Status, Uri? Location)> GetAsync(
        WebApplication app, string? user, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(app.Urls.First()) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "jobs/");
        if (user is not null)
        {
            request.Headers.Add("X-User", user);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var response = await client.SendAsync(request, Cancellation);
        return (response.StatusCode, response.Headers.Location);
    }
}
