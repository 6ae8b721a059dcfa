using TaskRecovery;

namespace OpenTelemetry.Trace;

/// <summary>Adds the traces of TaskRecovery to OpenTelemetry.</summary>
public static class TaskRecoveryTracerProviderBuilderExtensions
{
    /// <summary>Adds the activity source of TaskRecovery: a span for each enqueue and each run. Every run of an entry belongs to the trace
    /// that enqueued it, also after a crash and on another node.</summary>
    /// <param name="builder">The builder that is passed to <c>WithTracing</c>.</param>
    /// <returns>The same builder.</returns>
    public static TracerProviderBuilder AddTaskRecoveryInstrumentation(this TracerProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddSource(TaskRecoveryDiagnostics.ActivitySourceName);
    }
}
