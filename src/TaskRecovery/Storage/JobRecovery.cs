using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of planning jobs.</summary>
/// <param name="Planned">How many jobs got a planned run.</param>
/// <param name="Unplannable">The jobs that this node can't plan.</param>
[Experimental("TASKRECOVERY001")]
public sealed record JobRecovery(int Planned, IReadOnlyList<UnplannableJob> Unplannable)
{
    /// <summary>The jobs whose planned run has been due for long and does not start, the longest first.
    /// <see cref="IJobStore.CorrectPlansAsync"/> does not look for them.</summary>
    public IReadOnlyList<OverdueJob> Overdue { get; init; } = [];
}
