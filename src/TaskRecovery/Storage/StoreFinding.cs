using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of one check of the database.</summary>
/// <param name="Check">What was checked, in one or two words.</param>
/// <param name="Level">How serious it is.</param>
/// <param name="Text">What was found, in one sentence.</param>
/// <param name="Repair">The statement or the step that repairs it, with quoted identifiers; <see langword="null"/> if nothing is
/// wrong.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoreFinding(string Check, FindingLevel Level, string Text, string? Repair = null);
