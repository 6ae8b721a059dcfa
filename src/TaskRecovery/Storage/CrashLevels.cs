using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The rules for entries during whose runs nodes have crashed: which of them are suspects, and at which level they wait.</summary>
/// <remarks>A claim takes entries in the order of their levels. The levels 0 to 9 are the priorities. An entry that a crash put back waits
/// at a negative level, so that it runs before all others; the more crashes it has, the lower is its level. Suspects wait at the levels
/// from <see cref="Suspect"/> down, and the entries at their last chance from <see cref="LastChance"/> down. Both are claimed only within
/// the allowance of the node (see <see cref="SuspectAllowance"/>). All entries at the levels above <see cref="Suspect"/> are ordinary: they
/// are claimed in order, without an allowance. The statements of a store take their numbers from here.</remarks>
[Experimental("TASKRECOVERY001")]
public static class CrashLevels
{
    /// <summary>The number of crashes from which on an entry is a suspect. A single crash may have been caused by any other entry of the
    /// node.</summary>
    public const int SuspectFrom = 2;

    /// <summary>The lowest level, which is claimed first. Crashes beyond it do not lower the level further.</summary>
    public const int Lowest = -10;

    /// <summary>The highest level, which is claimed last: the priority of the least urgent entries.</summary>
    public const int Highest = 9;

    /// <summary>Returns whether an entry with this many crashes is a suspect.</summary>
    public static bool IsSuspect(int crashes) => crashes >= SuspectFrom;

    /// <summary>Returns the number of crashes from which on a sweep counts an entry among the suspects of its node. If the limit is one
    /// crash, an entry with one crash is at its last chance already.</summary>
    public static int SuspectFromWithin(int maxCrashes) => Math.Min(SuspectFrom, maxCrashes);

    /// <summary>Returns the level of an entry that is put back.</summary>
    /// <param name="crashes">The crashes that are counted for the entry.</param>
    /// <param name="goesFirst">Whether a single crash moves it before the entries without crashes: true if a sweep or a release puts it
    /// back, false if its own run does (for a retry or a snooze).</param>
    /// <returns><see langword="null"/> if the entry waits at its own priority.</returns>
    public static int? Of(int crashes, bool goesFirst)
        => IsSuspect(crashes) || (crashes == 1 && goesFirst) ? Math.Max(-crashes, Lowest) : null;

    /// <summary>Returns the level of the new entry of a task whose entry was missing. Recovered tasks run first, even without a crash,
    /// unless the level for that is the level of the last chances.</summary>
    /// <returns><see langword="null"/> if the entry waits at its own priority.</returns>
    public static int? OfRecoveredTask(int crashes, int maxCrashes)
        => crashes == 0 && maxCrashes == 1 ? null : Math.Clamp(-crashes, Lowest, -1);

    /// <summary>Returns the highest level of entries at their last chance: one more crash ends them.</summary>
    public static int LastChance(int maxCrashes) => Math.Clamp(-maxCrashes, Lowest, -1);

    /// <summary>Returns the highest level of suspects. The levels above it are claimed in order, without an allowance.</summary>
    public static int Suspect(int maxCrashes) => Math.Max(LastChance(maxCrashes), -SuspectFrom);
}
