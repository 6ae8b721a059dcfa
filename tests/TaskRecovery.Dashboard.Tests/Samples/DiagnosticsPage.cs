using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Dashboard.Tests.Samples;

/// <summary>The examples of docs/diagnostics.md.</summary>
internal static class DiagnosticsPage
{
    public static void AddHealthCheck(WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddTaskRecovery(
            oldestDueLimit: TimeSpan.FromMinutes(15),        // the default
            includeDetails: false,                           // the default
            name: "taskrecovery");                           // the default
    }

    public static void Map(WebApplication app)
    {
        app.MapHealthChecks("/health/ready");                // in an ASP.NET Core application
    }
}
