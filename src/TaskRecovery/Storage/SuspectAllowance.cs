using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The number of suspects that a claim may return. A suspect is an entry during whose runs two or more node crashes have
/// occurred.</summary>
/// <param name="MaxCrashes">The number of crashes from which on an entry is at its last chance: one more crash ends it.</param>
/// <param name="Suspects">The maximum number of suspects with fewer crashes.</param>
/// <param name="LastChances">The maximum number of entries at their last chance: one or none.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct SuspectAllowance(int MaxCrashes, int Suspects, int LastChances);
