using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/production.md.</summary>
internal static class ProductionPage
{
    public static void AddHealthCheck(WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddTaskRecovery(tags: ["ready"]);
    }

    public static void Map(WebApplication app)
    {
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
    }

    public static void SetLimits(WebApplicationBuilder builder)
    {
        var limit = TimeSpan.FromMinutes(2);
        builder.Services.AddTaskRecovery(options => options.ShutdownTimeout = limit);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = limit + TimeSpan.FromSeconds(7));
    }
}
