using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.PostgreSql.Tests;

/// <summary>Nodes for tests that are not about how soon a node is dead.</summary>
internal static class PatientNodes
{
    /// <summary>When another node takes over the work of one that has not left.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    /// <summary>By default, a node that has sent no heartbeat for 2.25 s cancels what it runs, and a busy machine may stop a thread for
    /// longer. With this it waits for two minutes.</summary>
    public static IServiceCollection AddPatience(this IServiceCollection services)
        => services.Configure<TaskRecoveryOptions>(
            static options => (options.Node.Lease, options.Node.Grace) = (TimeSpan.FromMinutes(3), Grace));
}
