using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.TestSupport;

// The dashboard of a store on a free port of this machine. It writes the address when it is ready, and for each line that it reads, how
// long the requests since then took in this process. Each viewer names itself in a header, because some limits are per user.
const string Everyone = "everyone";
var (store, connectionString) = (args[0], args[1]);
var times = new ConcurrentQueue<double[]>();
var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
builder.Logging.ClearProviders();
builder.Logging.AddSimpleConsole(static console => console.SingleLine = true);
builder.Logging.SetMinimumLevel(LogLevel.Error);
builder.WebHost.UseUrls("http://127.0.0.1:0");
var recovery = builder.Services.AddTaskRecovery(static options => options.ServeDefaultQueue = false);
_ = store == "postgres" ? recovery.UsePostgreSql(connectionString) : recovery.UseSqlite(connectionString);
builder.Services.AddAuthorization(
    static options => options.AddPolicy(Everyone, static policy => policy.RequireAuthenticatedUser()));
builder.Services.AddTaskRecoveryDashboard(static options => options.DataPolicy = options.OperatePolicy = Everyone);
var app = builder.Build();
app.Use(async (context, next) =>
{
    var started = Stopwatch.GetTimestamp();
    await next(context);
    times.Enqueue([context.Response.StatusCode, Stopwatch.GetElapsedTime(started).TotalMilliseconds]);
});
app.Use((context, next) =>
{
    var name = new Claim(ClaimTypes.Name, context.Request.Headers["X-User"].ToString());
    context.User = new ClaimsPrincipal(new ClaimsIdentity([name], "benchmark"));
    return next(context);
});
app.UseRouting();
app.UseAuthorization();
app.MapTaskRecovery("/jobs").RequireAuthorization(Everyone);
await app.StartAsync();
ParentProcess.ExitWhenItIsGone(_ =>
{
    var taken = new List<double[]>();
    while (times.TryDequeue(out var one))
    {
        taken.Add(one);
    }

    Console.Out.WriteLine("times " + JsonSerializer.Serialize(taken));
    Console.Out.Flush();
});
Console.Out.WriteLine($"ready {app.Urls.First()}/jobs/");
Console.Out.Flush();
await app.WaitForShutdownAsync();
