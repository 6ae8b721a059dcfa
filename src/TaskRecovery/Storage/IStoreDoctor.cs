using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Examines a database and its server for what makes a queue slow, unsafe or unusable.</summary>
/// <remarks>Reads only. A check that the role may not make, or that fails, is a finding of its own; it does not stop the others.</remarks>
[Experimental("TASKRECOVERY001")]
public interface IStoreDoctor
{
    /// <summary>Makes all checks.</summary>
    /// <param name="limits">From where on a value is reported.</param>
    /// <param name="cancellationToken">Cancels the checks.</param>
    /// <returns>At least one finding for each check, in a fixed order.</returns>
    /// <exception cref="StoreUnavailableException">The database can't be reached.</exception>
    ValueTask<IReadOnlyList<StoreFinding>> ExamineAsync(DoctorLimits limits, CancellationToken cancellationToken);
}
