namespace TaskRecovery.Jobs;

/// <summary>A kind of task for which this process has a handler.</summary>
internal sealed record TaskKind(Type ArgsType, string Kind, WorkerOptions Options);
