namespace TaskRecovery.Testing;

/// <summary>The task that a test runs, and what happens to the run.</summary>
public sealed record TaskHandlerTestOptions : WorkerTestOptions
{
    /// <summary>The name of the job.</summary>
    /// <value>Default: <c>test</c>.</value>
    public string JobName { get; init; } = "test";

    /// <summary>The id of the job.</summary>
    public Guid JobId { get; init; } = Guid.NewGuid();

    /// <summary>The id of the task.</summary>
    public Guid TaskId { get; init; } = Guid.NewGuid();

    /// <summary>The due time of the task.</summary>
    /// <value>Default: <see langword="null"/>, as for a run that was triggered by hand.</value>
    public DateTimeOffset? DueAt { get; init; }
}
