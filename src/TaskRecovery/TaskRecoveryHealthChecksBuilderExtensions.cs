using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskRecovery.Diagnostics;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds TaskRecovery's health check.</summary>
public static class TaskRecoveryHealthChecksBuilderExtensions
{
    /// <summary>Checks that the start-up hook is through, the store answers and this node's lease is valid (else the failure status), that nothing waits too long and that every handler listens to its token (else degraded).</summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The check's name; <see langword="null"/> means <c>taskrecovery</c>. A second check of the same name is not added.</param>
    /// <param name="oldestWaitingLimit">How long the first due entry of a queue may wait; <see langword="null"/> means 15 minutes.</param>
    /// <param name="failureStatus">What a failure is reported as; <see langword="null"/> means <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags to filter checks by.</param>
    /// <param name="includeDetails">Whether the answer names queues, kinds, the node and its host, and carries the store's exception. Leave it off where strangers can read the answer.</param>
    /// <remarks>All checks of a process share one measure of the queues, which is at most 5 seconds old: a request costs the database nothing.</remarks>
    public static IHealthChecksBuilder AddTaskRecovery(
        this IHealthChecksBuilder builder, string? name = null, TimeSpan? oldestWaitingLimit = null, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null,
        bool includeDetails = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (oldestWaitingLimit <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(oldestWaitingLimit), oldestWaitingLimit, "The longest wait must be above zero; null means 15 minutes.");
        }

        var settings = new HealthCheckSettings(oldestWaitingLimit ?? TimeSpan.FromMinutes(15), includeDetails);
        var check = name ?? "taskrecovery";
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (!options.Registrations.Any(registration => registration.Name == check))
            {
                options.Registrations.Add(new HealthCheckRegistration(
                    check, services => ActivatorUtilities.CreateInstance<TaskRecoveryHealthCheck>(services, settings), failureStatus, tags));
            }
        });
        return builder;
    }
}
