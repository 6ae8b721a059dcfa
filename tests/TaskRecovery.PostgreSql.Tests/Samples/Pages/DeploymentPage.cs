using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of docs/deployment.md.</summary>
public static class DeploymentPage
{
    public static void AddBehindPooler(IServiceCollection services)
    {
        services.AddTaskRecovery()
            .UsePostgreSql("Host=pgbouncer;Database=app;Username=app;Password=...", options =>
            {
                options.UseSessionLocks = false;      // also: no prepared statements, no settings of the session
                options.UseNotifications = false;     // nodes poll once a second
            });
    }

    public static void AddInstances(HostApplicationBuilder builder)
    {
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(builder.Configuration.GetConnectionString("Shop")!)
            .AddWorker<SendMail, SendMailWorker>();

        builder.Services.AddTaskRecovery("reports", builder.Configuration.GetSection("Reports"))
            .UsePostgreSql(builder.Configuration.GetConnectionString("Reports")!)
            .AddQueue("night")
            .AddWorker<RenderReport, RenderReportWorker>();

        builder.Services.AddHealthChecks()
            .AddTaskRecovery()
            .AddTaskRecovery("reports");
    }
}

[JobKind("report.render")]
public sealed record RenderReport(string Name);

public sealed class RenderReportWorker : IJobWorker<RenderReport>
{
    public Task WorkAsync(WorkContext<RenderReport> context, CancellationToken cancellationToken) => Task.CompletedTask;
}
