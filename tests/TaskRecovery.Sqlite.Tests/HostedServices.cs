using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Starts and stops the services of a container without a host.</summary>
internal static class HostedServices
{
    public static async Task StartAllAsync(this IServiceProvider provider, CancellationToken cancellationToken)
    {
        foreach (var service in provider.GetServices<IHostedService>())
        {
            await service.StartAsync(cancellationToken);
        }
    }

    public static async Task StopAllAsync(this IServiceProvider provider, CancellationToken cancellationToken)
    {
        foreach (var service in provider.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(cancellationToken);
        }
    }
}
