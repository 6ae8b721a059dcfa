namespace TaskRecovery.Jobs;

/// <summary>A kind of task.</summary>
/// <param name="ArgsType">The arguments type.</param>
/// <param name="Kind">The kind.</param>
internal sealed record TaskKind(Type ArgsType, string Kind)
{
    /// <summary>Whether this process has a handler of the kind.</summary>
    public bool IsHandled { get; init; } = true;

    /// <summary>Sets the options, after configuration; <see langword="null"/> if the code sets none.</summary>
    public Action<WorkerOptions>? Configure { get; init; }

    /// <summary>The options; the defaults until <see cref="TaskKinds"/> has applied configuration and code.</summary>
    public WorkerOptions Options { get; init; } = new();
}
