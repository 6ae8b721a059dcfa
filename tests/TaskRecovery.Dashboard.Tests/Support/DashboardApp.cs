using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>An application with the dashboard on a loopback port, over a fake system.</summary>
internal sealed class DashboardApp : IAsyncDisposable
{
    private const string Cookie = "Cookies";

    private readonly WebApplication _app;

    private DashboardApp(
        WebApplication app, FakeSystem system, FixedTime time, FakeMonitor monitor, FakeOperator operations, FakeJobs jobs, LogLines log)
    {
        _app = app;
        System = system;
        Time = time;
        Monitor = monitor;
        Operations = operations;
        Jobs = jobs;
        Log = log;
        Address = new Uri(app.Urls.First());
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = Address,
            Timeout = TimeSpan.FromMinutes(5),
        };
    }

    public FakeSystem System { get; }

    public FixedTime Time { get; }

    public FakeMonitor Monitor { get; }

    public FakeOperator Operations { get; }

    public FakeJobs Jobs { get; }

    public LogLines Log { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IReadOnlyList<Endpoint> Endpoints => _app.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    /// <summary>Starts an application in which everyone may see, and users with the roles <c>data</c> and <c>ops</c> may do more.</summary>
    public static Task<DashboardApp> StartAsync(FakeSystem system, AppSetup? setup = null) => StartCoreAsync(
        system, setup ?? new AppSetup());

    /// <summary>Stops the application as a host does, and returns how long it took.</summary>
    public async Task<TimeSpan> StopAsync()
    {
        var clock = Stopwatch.StartNew();
        await _app.StopAsync();
        var elapsed = clock.Elapsed;
        await DisposeAsync();
        return elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private static async Task<DashboardApp> StartCoreAsync(FakeSystem system, AppSetup setup)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = setup.Environment });
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Information);
        builder.WebHost.UseUrls($"http://127.0.0.1:{setup.Port}");
        if (setup.ShutdownTimeout is { } limit)
        {
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = limit);
        }

        var time = new FixedTime(system.Now);
        var monitor = new FakeMonitor(system);
        var operations = new FakeOperator(system);
        var jobs = new FakeJobs(system);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IQueueMonitor>(monitor);
        builder.Services.AddSingleton<IQueueOperator>(operations);
        builder.Services.AddSingleton<IJobService>(jobs);
        builder.Services.AddAuthentication(setup.HasCookieLogin ? Cookie : HeaderAuthentication.Name)
            .AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Name, null)
            .AddCookie(Cookie);
        builder.Services.AddAuthorization(options =>
        {
            options.AddPolicy("staff", static policy => policy.RequireAuthenticatedUser());
            options.AddPolicy("data", static policy => policy.RequireRole("data"));
            options.AddPolicy("ops", static policy => policy.RequireRole("ops"));
            options.AddPolicy("everyone", static policy => policy.RequireAssertion(static _ => true));
            if (setup.HasFallbackPolicy)
            {
                options.FallbackPolicy = options.GetPolicy("staff");
            }
        });
        setup.Services?.Invoke(builder.Services);
        builder.Services.AddTaskRecoveryDashboard(options =>
        {
            options.DataPolicy = setup.DataPolicy;
            options.OperatePolicy = setup.OperatePolicy;
            options.Environment = setup.Badge;
            options.TraceUrl = static id => $"https://traces.example.org/{id}";
            setup.Configure?.Invoke(options);
        });

        var app = builder.Build();
        if (setup.PathBase is not null)
        {
            app.UsePathBase(setup.PathBase);
        }

        if (setup.ResponseBody is { } body)
        {
            app.Use((context, next) =>
            {
                context.Response.Body = body;
                return next(context);
            });
        }

        setup.Middleware?.Invoke(app);
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        var dashboard = app.MapTaskRecovery(setup.Path);
        if (setup.Policy is not null)
        {
            dashboard.RequireAuthorization(setup.Policy);
        }

        if (setup.HasCookieLogin)
        {
            app.MapGet("/login", static context => context.SignInAsync(
                Cookie, new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada")], Cookie))));
        }

        if (setup.HasApi)
        {
            app.MapTaskRecoveryApi("/jobs/api").RequireAuthorization("staff");
        }

        if (setup.IsOpen)
        {
            dashboard.AllowAnonymous();
        }

        await app.StartAsync();
        return new DashboardApp(app, system, time, monitor, operations, jobs, log);
    }
}
