using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The stored progress of an entry or its task.</summary>
/// <param name="Steps">The results of finished steps as UTF-8 JSON, by step name.</param>
/// <param name="Checkpoint">The last checkpoint as UTF-8 JSON; <see langword="null"/> if there is none.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StoredProgress(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Steps, ReadOnlyMemory<byte>? Checkpoint)
{
    /// <summary>No progress.</summary>
    public static StoredProgress None { get; } = new(ReadOnlyDictionary<string, ReadOnlyMemory<byte>>.Empty, null);

    /// <summary>Returns the number of steps, without their results.</summary>
    public override string ToString() => $"{Steps.Count} steps, {(Checkpoint is null ? "no checkpoint" : "a checkpoint")}";
}
