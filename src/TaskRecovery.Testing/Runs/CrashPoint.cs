namespace TaskRecovery.Testing.Runs;

/// <summary>Where a run crashes.</summary>
/// <param name="Place">The place.</param>
/// <param name="Occurrence">How many times the run reaches it, counting the last. More than once only after a reset of the steps.</param>
internal readonly record struct CrashPoint(Place Place, int Occurrence);
