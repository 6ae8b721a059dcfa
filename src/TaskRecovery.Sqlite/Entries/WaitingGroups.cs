namespace TaskRecovery.Sqlite;

/// <summary>Reads which kinds and levels have waiting entries in a queue: one look-up per group, whatever the number of entries.</summary>
internal static class WaitingGroups
{
    private const int BelowAllLevels = -1000;

    /// <summary>Returns the groups of the given kinds, or of all kinds if <paramref name="kinds"/> is <see langword="null"/>.</summary>
    /// <param name="session">The writer's session, or a reader.</param>
    /// <param name="names">The writer's name cache; <see langword="null"/> for a reader.</param>
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

    /// <summary>As <see cref="Read"/>, without the kinds that an operator has paused.</summary>
    public static List<WaitingGroup> ReadOpen(SqliteSession session, SqliteNames? names, long queue, HashSet<string>? kinds)
    {
        var groups = Read(session, names, queue, kinds);
        if (groups.Count > 0 && ReadPaused(session) is { } paused)
        {
            groups.RemoveAll(group => paused.Contains(group.Kind));
        }

        return groups;
    }

    /// <summary>Whether an operator has paused a kind.</summary>
    public static bool IsPaused(SqliteSession session, SqliteNames names, string kind)
        => ReadPaused(session) is { } paused && paused.Contains(names.Kind(session, kind, isOwn: true));

    /// <summary>The kinds that an operator has paused; <see langword="null"/> if there are none.</summary>
    public static HashSet<long>? ReadPaused(SqliteSession session)
    {
        HashSet<long>? paused = null;
        var statement = session.Get(NameSql.PausedKinds);
        while (statement.Step())
        {
            (paused ??= []).Add(statement.Int64(0));
        }

        return paused;
    }

    /// <summary>Returns when the next entry of a group that is not due yet becomes due.</summary>
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
