using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A stored job that an application declares in its code.</summary>
/// <param name="Name">The name of the job.</param>
/// <param name="DeclaredAs">A digest of the declaration that was applied last; <see langword="null"/> if it is not known.</param>
/// <param name="IsOrphaned">Whether the application had stopped declaring it (see <see cref="Job.OrphanedAt"/>).</param>
[Experimental("TASKRECOVERY001")]
public sealed record DeclaredJob(string Name, string? DeclaredAs, bool IsOrphaned);
