namespace TaskRecovery.Sqlite;

/// <summary>Finds where in the ids of the entries a time is.</summary>
internal static class EntryRange
{
    /// <summary>The first entry that was stored at a time or later, by halving the range of the ids, which grow with the time of
    /// storing.</summary>
    /// <returns>Its id; <see langword="null"/> if all entries are older.</returns>
    public static long? FirstStored(SqliteSession session, long time)
    {
        var (id, created) = NewestOf(session, 0, long.MaxValue);
        if (id == 0 || created < time)
        {
            return null;
        }

        var (low, high) = ((session.Get(EntryListSql.First).Scalar() ?? 1) - 1, id);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (id, created) = NewestOf(session, low, middle);
            (low, high) = id > 0 && created >= time ? (low, id) : (middle, high);
        }

        return high;
    }

    private static (long Id, long Created) NewestOf(SqliteSession session, long after, long last)
    {
        var statement = session.Get(EntryListSql.NewestOf).Bind(1, after).Bind(2, last);
        var newest = statement.Step() ? (statement.Int64(0), statement.Int64(1)) : (0, 0);
        statement.Reset();
        return newest;
    }
}
