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
    /// <param name="session">The writer, or a reader.</param>
    /// <param name="names">What the writer remembers; <see langword="null"/> for a reader.</param>
    /// <param name="queue">The queue's number.</param>
    /// <param name="kinds">The kinds.</param>
    public static List<WaitingGroup> Read(SqliteSession session, SqliteNames? names, long queue, HashSet<string>? kinds)
    {
        var groups = new List<WaitingGroup>();
        var kind = 0L;
        while (session.Get(WaitingSql.NextKind).Bind(1, queue).Bind(2, kind).Scalar() is { } next)
        {
            kind = next;
            var name = names?.KindName(session, kind) ?? SqliteNames.ReadKindName(session, kind);
            if (kinds is null || kinds.Contains(name))
            {
                ReadLevels(session, queue, kind, name, groups);
            }
        }

        return groups;
    }

    /// <summary>When the first entry of a group is due that is not due yet.</summary>
    public static long? FirstLater(SqliteSession session, long queue, WaitingGroup group, long now)
        => session.Get(WaitingSql.FirstLater).Bind(1, queue).Bind(2, group.Kind).Bind(3, group.Level).Bind(4, now).Scalar();

    private static void ReadLevels(SqliteSession session, long queue, long kind, string name, List<WaitingGroup> groups)
    {
        var level = BelowAllLevels;
        while (true)
        {
            var statement = session.Get(WaitingSql.NextLevel).Bind(1, queue).Bind(2, kind).Bind(3, level);
            if (!statement.Step())
            {
                return;
            }

            level = statement.Int32(0);
            groups.Add(new WaitingGroup(kind, name, level, statement.Int64(1)));
            statement.Reset();
        }
    }
}
