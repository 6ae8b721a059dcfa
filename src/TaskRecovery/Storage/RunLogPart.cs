using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Some log lines of one run.</summary>
/// <param name="EntryId">The entry.</param>
/// <param name="Fence">The fence of the run.</param>
/// <param name="Part">The number of the part, from 0 on. Storing a part again changes nothing.</param>
/// <param name="Lines">The lines.</param>
[Experimental("TASKRECOVERY001")]
public sealed record RunLogPart(long EntryId, long Fence, int Part, IReadOnlyList<RunLogLine> Lines);
