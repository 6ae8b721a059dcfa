using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Identifies the owner of steps and a checkpoint: the task if the entry runs one, otherwise the entry.</summary>
/// <param name="EntryId">The id of the running entry.</param>
/// <param name="TaskId">The id of its task; <see langword="null"/> if it runs none.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct ProgressKey(long EntryId, Guid? TaskId);
