using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Instances;

/// <summary>Adds instances of TaskRecovery on fake stores to a host.</summary>
internal static class InstanceExtensions
{
    /// <summary>Adds an instance.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The name of the instance; <see langword="null"/> for the one without a name.</param>
    /// <param name="store">Its store.</param>
    /// <param name="configure">Sets its options.</param>
    public static TaskRecoveryBuilder AddInstance(
        this IServiceCollection services, string? name, FakeQueueStore store, Action<TaskRecoveryOptions>? configure = null)
    {
        var builder = name is null ? services.AddTaskRecovery(Configure) : services.AddTaskRecovery(name, Configure);
        builder.InstanceServices.AddSingleton(WorkHost.PatientStop);
        builder.InstanceServices.AddSingleton<IQueueStore>(store);
        builder.InstanceServices.AddSingleton<IJobStore, NoJobs>();
        return builder;

        void Configure(TaskRecoveryOptions options)
        {
            options.Node.Lease = WorkHost.Lease;
            configure?.Invoke(options);
        }
    }
}
