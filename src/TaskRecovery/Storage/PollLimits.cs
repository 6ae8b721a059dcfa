using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The times by which a poll of queues that a node leaves to another one is limited. The statements of a store take their numbers
/// from here.</summary>
[Experimental("TASKRECOVERY001")]
public static class PollLimits
{
    /// <summary>For how many milliseconds after an entry became due it is left to the other node, which learns of it by a hint.</summary>
    public const int NewMilliseconds = 50;

    /// <summary>How many seconds back a poll for recent entries reads. A node polls at least once a second, so an entry is recent for
    /// several polls, even if its transaction was open for a second or two.</summary>
    public const int RecentSeconds = 3;
}
