using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/dashboard.md.</summary>
internal static class DashboardPage
{
    public static void Add(WebApplicationBuilder builder, string connectionString)
    {
        builder.Services.AddTaskRecovery().UsePostgreSql(connectionString);   // workers are not needed in this process
        builder.Services.AddTaskRecoveryDashboard(options =>
        {
            options.DataPolicy = "ops";        // who may see arguments, results, steps, metadata, keys and errors
            options.OperatePolicy = "ops";     // who may retry, cancel, pause, resume, run and delete
        });
    }

    public static void Map(WebApplication app)
    {
        app.MapTaskRecovery("/jobs").RequireAuthorization("staff");
    }

    public static void AddCookie(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(options => options.LoginPath = "/login");
        builder.Services.AddAuthorization(options =>
        {
            options.AddPolicy("staff", policy => policy.RequireAuthenticatedUser());
            options.AddPolicy("ops", policy => policy.RequireRole("operator"));
        });
    }

    public static void AddOpenId(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication(options =>
        {
            options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
            options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
        })
            .AddCookie()
            .AddOpenIdConnect(options =>
            {
                options.Authority = "https://login.example.org/";
                options.ClientId = builder.Configuration["Login:ClientId"];
                options.ClientSecret = builder.Configuration["Login:ClientSecret"];
                options.ResponseType = "code";
                options.TokenValidationParameters.NameClaimType = "preferred_username";   // the name in the record of actions
                options.TokenValidationParameters.RoleClaimType = "roles";
            });
    }

    public static void AddProxyLogin(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication("Proxy").AddScheme<AuthenticationSchemeOptions, ProxyUserHandler>("Proxy", null);
        builder.Services.AddAuthorization(options =>
        {
            options.AddPolicy("staff", policy => policy.RequireAuthenticatedUser());
            options.AddPolicy("ops", policy => policy.RequireUserName("ada"));
        });
    }

    public static void AddForwardedHeaders(WebApplicationBuilder builder)
    {
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
                | ForwardedHeaders.XForwardedHost | ForwardedHeaders.XForwardedPrefix;
            options.KnownProxies.Add(IPAddress.Parse("10.0.0.5"));   // besides this machine itself
        });
    }

    public static void AddProxyNetwork(WebApplicationBuilder builder)
    {
        builder.Services.Configure<ForwardedHeadersOptions>(static options =>
        {
            options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse("10.42.0.0/16"));
        });
    }

    public static void MapBehindProxy(WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapTaskRecovery("/jobs").RequireAuthorization("staff");
    }

    public static async Task EnqueueAsync(IJobQueue queue, CancellationToken cancellationToken)
    {
        // Where work is stored:
        await queue.EnqueueAsync(new SendInvoice(4711), new EnqueueOptions { Queue = "acme" }, cancellationToken);
        await queue.EnqueueAsync(new SendInvoice(4712), new EnqueueOptions { Queue = "globex" }, cancellationToken);
    }

    public static void SetScope(DashboardOptions options)
    {
        // Where the dashboard is added:
        options.Scope = user => user.IsInRole("admin")
            ? null                                                                             // everything
            : new EntryScope { Queues = [user.FindFirst("tenant")!.Value] };                   // "acme" or "globex"
    }

    public static void SetScopeByMetadata(DashboardOptions options)
    {
        options.Scope = user => new EntryScope { Metadata = new("tenant", user.FindFirst("tenant")!.Value) };
    }

    public static void SetUserName(DashboardOptions options)
    {
        options.UserName = user => user.FindFirst("preferred_username")?.Value;    // null: the default
    }

    public static void SetRedactor(DashboardOptions options)
    {
        options.Redact = text => text.Part switch
        {
            DashboardPart.Metadata when text.Name == "token" => null,
            DashboardPart.Args or DashboardPart.Result => Mask.Mails(text.Text),
            _ => text.Text,
        };
    }

    public static void SetSearchPolicy(DashboardOptions options)
    {
        options.SearchPolicy = "auditors";
    }

    public static void SetHosts(DashboardOptions options)
    {
        options.AllowedHosts.Add("ops.example.org");
    }

    public static void AddReports(WebApplicationBuilder builder, string reportsConnectionString)
    {
        builder.Services.AddTaskRecovery("reports").UsePostgreSql(reportsConnectionString);
        builder.Services.AddTaskRecoveryDashboard("reports", options => options.OperatePolicy = "report-ops");
    }

    public static void MapReports(WebApplication app)
    {
        app.MapTaskRecovery("/reports", instance: "reports").RequireAuthorization("report-staff");
        app.MapTaskRecoveryApi("/reports/api", instance: "reports").RequireAuthorization("report-staff");
    }

    public static void MapApi(WebApplication app)
    {
        app.MapTaskRecoveryApi("/jobs/api").RequireAuthorization("staff");
    }

    private static class Mask
    {
        public static string Mails(string text) => text.Replace("@", "(at)", StringComparison.Ordinal);
    }

    [JobKind("invoice.send")]
    private sealed record SendInvoice(int Number);
}

public sealed class ProxyUserHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    // A server that listens on IPv6 too has the address of an IPv4 client as ::ffff:10.0.0.5.
    private static readonly IPAddress Proxy = IPAddress.Parse("10.0.0.5").MapToIPv6();

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var user = Request.Headers["X-User"].ToString();
        if (user.Length == 0 || !Proxy.Equals(Context.Connection.RemoteIpAddress?.MapToIPv6()))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], Scheme.Name);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
    }
}
