using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of one step of a bulk operation.</summary>
/// <param name="Operation">The operation after the step; <see langword="null"/> if there is none with this id.</param>
/// <param name="Worked">Whether this call did a step. If not, the operation is not running, another process is doing one, or another
/// transaction keeps locked what it would change.</param>
[Experimental("TASKRECOVERY001")]
public sealed record OperationStep(BulkOperation? Operation, bool Worked)
{
    /// <summary>Whether nothing was done because another transaction keeps locked what the step would change next.</summary>
    public bool WaitsForLock { get; init; }
}
