using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Size limits of a claim, which apply in addition to its entry limit.</summary>
[Experimental("TASKRECOVERY001")]
public static class ClaimLimits
{
    /// <summary>The total bytes of arguments and metadata after which a claim takes no further entry. The entry that reaches the limit is
    /// still taken, so that an entry of any size can be claimed.</summary>
    /// <remarks>A claim that stops at this limit returns a <see cref="ClaimBatch.NextDue"/> of zero.</remarks>
    public const int Bytes = 16 * 1024 * 1024;
}
