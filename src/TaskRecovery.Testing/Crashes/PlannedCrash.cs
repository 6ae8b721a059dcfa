using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing.Crashes;

/// <summary>Which run of an entry crashes, and where.</summary>
/// <param name="Run">The index of the run, from zero.</param>
/// <param name="Point">Where it crashes.</param>
internal readonly record struct PlannedCrash(int Run, CrashPoint Point);
