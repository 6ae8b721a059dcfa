using TaskRecovery.Kinds;

namespace TaskRecovery.Workers;

/// <summary>A kind of one host and its runner.</summary>
internal sealed record WorkedKind(BoundKind Kind, KindRunner Runner);
