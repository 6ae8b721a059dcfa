using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A finished step or a checkpoint to store.</summary>
/// <param name="Key">The entry or task that owns it.</param>
/// <param name="Fence">The fence of the run that stores it.</param>
/// <param name="Step">The name of the step; <see langword="null"/> for the checkpoint.</param>
/// <param name="Data">The step's result or the checkpoint as UTF-8 JSON.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ProgressWrite(ProgressKey Key, long Fence, string? Step, ReadOnlyMemory<byte> Data)
{
    /// <summary>The place of this write among the writes and resets of its run: each has a greater one than those that were called before
    /// it. A call that is repeated keeps its ordinal.</summary>
    public long Ordinal { get; init; }
}
