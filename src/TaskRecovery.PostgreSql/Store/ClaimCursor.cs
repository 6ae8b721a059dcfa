namespace TaskRecovery.PostgreSql;

/// <summary>Where a claimer stopped at each level. A scan from the front would walk over every dead row that an old snapshot keeps alive; a single position for all levels would starve newcomers.</summary>
internal sealed class ClaimCursor
{
    private const int Lowest = -10;
    private const int Highest = 9;

    // Commits arrive out of order: what was stored this long before the claim may have come after it.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(100);

    private readonly DateTime[] _times = new DateTime[Highest - Lowest + 1];
    private readonly long[] _ids = new long[Highest - Lowest + 1];

    internal ClaimCursor() => Rewind();

    /// <summary>Goes back to the front of every level.</summary>
    internal void Rewind() => Array.Fill(_times, DateTime.MinValue);

    /// <summary>The levels between two, first in line first, with the place to go on from.</summary>
    internal (short[] Levels, DateTime[] Times, long[] Ids) From(int first, int last)
    {
        var count = Math.Max(0, last - first + 1);
        var levels = new short[count];
        for (var i = 0; i < count; i++)
        {
            levels[i] = (short)(first + i);
        }

        return count == 0 ? ([], [], []) : (levels, _times[(first - Lowest)..(last - Lowest + 1)], _ids[(first - Lowest)..(last - Lowest + 1)]);
    }

    /// <summary>Remembers what a claim found in the levels between two.</summary>
    /// <param name="first">The first level it went through.</param>
    /// <param name="last">The last level it would have gone through.</param>
    /// <param name="taken">What it took there, in order.</param>
    /// <param name="full">Whether it stopped because it had enough; there may be more at the level of the last one then.</param>
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
