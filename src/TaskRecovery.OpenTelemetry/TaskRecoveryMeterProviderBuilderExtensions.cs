using TaskRecovery;

namespace OpenTelemetry.Metrics;

/// <summary>Adds the metrics of TaskRecovery to OpenTelemetry.</summary>
public static class TaskRecoveryMeterProviderBuilderExtensions
{
    /// <summary>Adds the meter of TaskRecovery: entries, runs, queues, recoveries. The names are constants of
    /// <see cref="TaskRecoveryDiagnostics"/>.</summary>
    /// <param name="builder">The builder that is passed to <c>WithMetrics</c>.</param>
    /// <returns>The same builder.</returns>
    public static MeterProviderBuilder AddTaskRecoveryInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter(TaskRecoveryDiagnostics.MeterName);
    }
}
