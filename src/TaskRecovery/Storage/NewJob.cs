using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Rules;

namespace TaskRecovery.Storage;

/// <summary>A job to create or update.</summary>
/// <param name="Definition">The definition passed by the caller.</param>
/// <param name="Kind">The kind of the task handler.</param>
/// <param name="EntryKind">The kind of the job's entries.</param>
/// <param name="Args">The arguments as UTF-8 JSON.</param>
/// <param name="MaxAttempts">The maximum number of attempts of a run.</param>
/// <param name="DeclaredBy">The application that declares the job in its code; <see langword="null"/> keeps the stored value.</param>
/// <param name="DeclaredAs">A digest of what the code declares. If it is the stored one, the code has not changed since it was applied, and
/// the stored definition stays as it is, with what was changed at run time. <see langword="null"/> if the definition does not come from a
/// declaration.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NewJob(
    JobDefinition Definition, string Kind, string EntryKind, ReadOnlyMemory<byte> Args,
    int MaxAttempts, string? DeclaredBy = null, string? DeclaredAs = null)
{
    /// <summary>Returns the name and the kind, without the arguments.</summary>
    public override string ToString() => $"Job {EntryText.Shown(Definition.Name)} ({EntryText.Shown(Kind)})";
}
