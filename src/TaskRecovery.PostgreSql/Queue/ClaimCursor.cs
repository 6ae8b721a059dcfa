using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Remembers, for each level, where a claimer stopped. A scan from the front would read every dead row that an old snapshot keeps;
/// one position for all levels would starve entries that arrive later at a level it has already passed.</summary>
internal sealed class ClaimCursor
{
    private const int Lowest = CrashLevels.Lowest;
    private const int Highest = CrashLevels.Highest;

    // Commits become visible out of order: an entry created up to this long before the claim may have been committed after it.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(100);

    private readonly DateTime[] _times = new DateTime[Highest - Lowest + 1];
    private readonly long[] _ids = new long[Highest - Lowest + 1];

    internal ClaimCursor() => Rewind();

    /// <summary>Moves back to the front of every level.</summary>
    internal void Rewind() => Array.Fill(_times, DateTime.MinValue);

    /// <summary>The levels from <paramref name="first"/> to <paramref name="last"/> in claim order, each with the position to resume
    /// from.</summary>
    internal (short[] Levels, DateTime[] Times, long[] Ids) From(int first, int last)
    {
        var count = Math.Max(0, last - first + 1);
        var levels = new short[count];
        for (var i = 0; i < count; i++)
        {
            levels[i] = (short)(first + i);
        }

        return count == 0 ? ([], [], [])
            : (levels, _times[(first - Lowest)..(last - Lowest + 1)], _ids[(first - Lowest)..(last - Lowest + 1)]);
    }

    /// <summary>Records what a claim found from <paramref name="first"/> to <paramref name="last"/>.</summary>
    /// <param name="first">The first level that the claim scanned.</param>
    /// <param name="last">The last level that the claim would have scanned.</param>
    /// <param name="taken">The entries that the claim took, in order.</param>
    /// <param name="full">Whether the claim stopped because it reached its limit. If so, the level of its last entry may contain
    /// more.</param>
    /// <param name="now">The database's time of the claim.</param>
    internal void Advance(int first, int last, IReadOnlyList<(int Level, DateTime RunAt, long Id)> taken, bool full, DateTime now)
    {
        var end = full && taken.Count > 0 ? taken[^1].Level : last + 1;
        for (var level = first; level < Math.Min(end, last + 1); level++)
        {
            (_times[level - Lowest], _ids[level - Lowest]) = (now - Slack, 0);
        }

        if (end <= last)
        {
            (_times[end - Lowest], _ids[end - Lowest]) = (taken[^1].RunAt, taken[^1].Id);
        }
    }
}
