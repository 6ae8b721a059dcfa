namespace TaskRecovery.Testing.Runs;

/// <summary>A request to stop a run at a place.</summary>
/// <param name="Reason">Why the handler's token is cancelled; <see cref="StopReason.None"/> if only the host begins to stop.</param>
/// <param name="At">The place.</param>
internal sealed record PlannedStop(StopReason Reason, Place At);
