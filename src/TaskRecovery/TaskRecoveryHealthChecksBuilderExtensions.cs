using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskRecovery.Diagnostics;
using TaskRecovery.Instances;
using TaskRecovery.Operations;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of TaskRecovery.</summary>
public static class TaskRecoveryHealthChecksBuilderExtensions
{
    /// <summary>Adds a health check. It reports <paramref name="failureStatus"/> if start-up recovery is not finished, the store does not
    /// respond or this node's lease is not valid; it reports degraded if an entry has waited too long, a job can't be planned by this node
    /// or does not run, a handler ignores cancellation or a background loop keeps failing.</summary>
    /// <param name="builder">The health checks builder.</param>
    /// <param name="instance">The name of the instance of TaskRecovery that is checked; <see langword="null"/> means the one without a
    /// name.</param>
    /// <param name="oldestDueLimit">How long the oldest due entry of a queue, or the run of a job, may wait before the check is degraded;
    /// <see langword="null"/> means 15 minutes.</param>
    /// <param name="failureStatus">The status reported for a failure; <see langword="null"/> means
    /// <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">The tags of the check, used to filter checks.</param>
    /// <param name="includeDetails">Whether the result includes the names of queues, kinds, the node and its host, and the store's
    /// exception. Keep it <see langword="false"/> if the health endpoint is publicly accessible.</param>
    /// <param name="name">The name of the check; <see langword="null"/> means <c>taskrecovery</c>, or <c>taskrecovery-reports</c> for the
    /// instance <c>reports</c>. A second check with the same name is not added.</param>
    /// <remarks>All checks of an instance share one measurement of the queues, which is kept for 5 seconds, or for 1 second if it failed.
    /// So any number of health requests costs the database at most one query every 5 seconds while it answers.</remarks>
    public static IHealthChecksBuilder AddTaskRecovery(
        this IHealthChecksBuilder builder, string? instance = null, TimeSpan? oldestDueLimit = null,
        HealthStatus? failureStatus = null, IEnumerable<string>? tags = null,
        bool includeDetails = false, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (oldestDueLimit <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(
                nameof(oldestDueLimit), oldestDueLimit, "The longest wait must be above zero; null means 15 minutes.");
        }

        var settings = new HealthCheckSettings(oldestDueLimit ?? TimeSpan.FromMinutes(15), includeDetails);
        var check = name ?? (instance is null ? "taskrecovery" : "taskrecovery-" + instance);
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (!options.Registrations.Any(registration => registration.Name == check))
            {
                options.Registrations.Add(new HealthCheckRegistration(
                    check, services => ActivatorUtilities.CreateInstance<TaskRecoveryHealthCheck>(
                        ServicesOf(services, instance), settings),
                    failureStatus, tags));
            }
        });
        return builder;
    }

    // The first parameter of most other health checks is the name of the check, so that a name may be meant as that.
    private static IServiceProvider ServicesOf(IServiceProvider application, string? instance)
        => instance is null
            ? application
            : application.GetKeyedService<NamedInstance>(instance)?.Services ?? throw new InvalidOperationException(
                $"A health check is set up for the instance '{instance}', which TaskRecovery does not have. Add the instance with "
                + $"services.AddTaskRecovery(\"{instance}\"), or, if that is to be the name of the check, pass it as "
                + $"AddTaskRecovery(name: \"{instance}\").");
}
