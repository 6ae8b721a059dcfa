using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Size limits of a claim, which apply in addition to its entry limit.</summary>
[Experimental("TASKRECOVERY001")]
public static class ClaimLimits
{
    /// <summary>The total bytes of arguments and metadata after which a claim takes no further entry. The entry that reaches the limit is
    /// still taken, so that an entry of any allowed size can be claimed.</summary>
    /// <remarks>A claim that stops at this limit returns a <see cref="ClaimBatch.NextDue"/> of zero.</remarks>
    public const int Bytes = 16 * 1024 * 1024;

    /// <summary>The total bytes of the arguments, metadata and trace context of one entry. If a row has more, which this library never
    /// writes, the claim returns the entry with a <see cref="ClaimedEntry.Problem"/> and without these texts: reading them could use up
    /// the memory of every process that claims the entry.</summary>
    public const int EntryBytes = 65 * 1024 * 1024;

    /// <summary>The most attempts and crashes before a claim. A claim returns this number if a row states more, so that one can be
    /// added to it in 16 bits.</summary>
    public const int Counts = short.MaxValue - 1;

    /// <summary>The <see cref="ClaimedEntry.Problem"/> of an entry with more than <see cref="EntryBytes"/>.</summary>
    public static readonly string TooLarge = string.Create(
        CultureInfo.InvariantCulture, $"its arguments, metadata and trace context have more than {EntryBytes:N0} bytes");
}
