using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>How much a claim brings at most, whatever its limit.</summary>
[Experimental("TASKRECOVERY001")]
public static class ClaimLimits
{
    /// <summary>The bytes of arguments and metadata from which on a claim takes no further entry. The entry that passes it is taken, so that one of any size is claimed.</summary>
    /// <remarks>A claim that stops here says so by a <see cref="ClaimBatch.NextDue"/> of zero.</remarks>
    public const int Bytes = 16 * 1024 * 1024;
}
