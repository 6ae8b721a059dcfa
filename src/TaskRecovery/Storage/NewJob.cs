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
    /// <summary>Whether a stored job keeps its number of attempts, because the definition sets none and this process has no handler of
    /// the kind. <see cref="MaxAttempts"/> is then for a new job only.</summary>
    public bool KeepsMaxAttempts { get; init; }

    /// <summary>Returns whether the code declares what it declared when a digest was stored.</summary>
    /// <param name="stored">The digest that is stored.</param>
    public bool IsDeclaredAs(string? stored) => DeclaredAs is { } digest && IsSameDigest(stored, digest, KeepsMaxAttempts);

    /// <summary>Compares a stored digest with that of a declaration. Behind a colon, a digest has the attempts of the handler, if they are
    /// not the default: a process without the handler does not know them.</summary>
    internal static bool IsSameDigest(string? stored, string digest, bool keepsMaxAttempts)
        => string.Equals(stored, digest, StringComparison.Ordinal)
            || (keepsMaxAttempts && stored is not null && stored.StartsWith(digest + ":", StringComparison.Ordinal));

    /// <summary>Returns the name and the kind, without the arguments.</summary>
    public override string ToString() => $"Job {EntryText.Shown(Definition.Name)} ({EntryText.Shown(Kind)})";
}
