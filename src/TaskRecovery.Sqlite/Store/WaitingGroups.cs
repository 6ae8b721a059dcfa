namespace TaskRecovery.Sqlite;

/// <summary>The waiting entries of one queue, kind and level.</summary>
/// <param name="Kind">The kind's number.</param>
/// <param name="KindName">Its name.</param>
/// <param name="Level">The level.</param>
/// <param name="FirstDue">When the first of them is due.</param>
internal readonly record struct WaitingGroup(long Kind, string KindName, int Level, long FirstDue);

/// <summary>Reads which kinds and levels wait in a queue: one look-up for each, whatever the number of entries.</summary>
internal static class WaitingGroups
{
    private const int BelowAllLevels = -1000;

    /// <summary>The groups of the given kinds; of all kinds if none are given.</summary>
    public static List<WaitingGroup> Read(SqliteSession session, SqliteNames names, long queue, HashSet<string>? kinds)
    {
        var groups = new List<WaitingGroup>();
        var (kind, level) = (0L, BelowAllLevels);
        var statement = session.Get(WaitingSql.NextGroup);
        while (true)
        {
            statement.Bind(1, queue).Bind(2, kind).Bind(3, level);
            if (!statement.Step())
            {
                return groups;
            }

            (kind, level) = (statement.Int64(0), statement.Int32(1));
            var first = statement.Int64(2);
            statement.Reset();
            var name = names.KindName(session, kind);
            if (kinds is null || kinds.Contains(name))
            {
                groups.Add(new WaitingGroup(kind, name, level, first));
            }
        }
    }

    /// <summary>When the first entry of a group is due that is not due yet.</summary>
    public static long? FirstLater(SqliteSession session, long queue, WaitingGroup group, long now)
        => session.Get(WaitingSql.FirstLater).Bind(1, queue).Bind(2, group.Kind).Bind(3, group.Level).Bind(4, now).Scalar();
}
