using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of docs/configuration.md.</summary>
public static class ConfigurationPage
{
    public static void Add(HostApplicationBuilder builder)
    {
        builder.Services.AddTaskRecovery(options => options.Recovery.MaxCrashes = 5);
        builder.Services.AddTaskRecovery(builder.Configuration.GetSection("TaskRecovery"));   // or bound from configuration
    }
}
