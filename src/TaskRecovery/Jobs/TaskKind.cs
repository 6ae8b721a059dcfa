namespace TaskRecovery.Jobs;

/// <summary>A kind of task for which this process has a handler.</summary>
/// <param name="ArgsType">The arguments type.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Options">The options of the handler.</param>
/// <param name="Configure">Sets the options, after configuration; <see langword="null"/> if the code sets none.</param>
internal sealed record TaskKind(Type ArgsType, string Kind, WorkerOptions Options, Action<WorkerOptions>? Configure = null);
