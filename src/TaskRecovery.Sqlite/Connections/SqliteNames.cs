using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>Caches the numbers of kinds and queues for the writer until another connection writes.</summary>
/// <remarks>A name normally keeps its number, but a file that is restored or emptied while the process runs has other numbers. Only a
/// commit of another connection can do that, and the writer detects each of those before its next transaction does anything. Readers and
/// the callers' own transactions may see another snapshot than the writer, so they look up every name.</remarks>
internal sealed class SqliteNames
{
    private readonly ConcurrentDictionary<string, long> _kinds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _kindNames = new();

    /// <summary>Returns a kind's number; adds the kind if it is new.</summary>
    /// <param name="session">A session in a write transaction.</param>
    /// <param name="name">The kind.</param>
    /// <param name="isOwn">Whether this is the writer's transaction, which reports its commit; only then is the number cached.</param>
    public long Kind(SqliteSession session, string name, bool isOwn)
        => GetOrAdd(session, _kinds, NameSql.FindKind, NameSql.AddKind, name, isOwn);

    /// <summary>Returns a queue's number; adds the queue if it is new.</summary>
    public long Queue(SqliteSession session, string name, bool isOwn)
        => GetOrAdd(session, _queues, NameSql.FindQueue, NameSql.AddQueue, name, isOwn);

    /// <summary>Returns a queue's number; <see langword="null"/> if the queue was never used.</summary>
    public static long? FindQueue(SqliteSession session, string name) => session.Get(NameSql.FindQueue).Bind(1, name).Scalar();

    /// <summary>Returns a kind's number; <see langword="null"/> if the kind was never used.</summary>
    public static long? FindKind(SqliteSession session, string name) => session.Get(NameSql.FindKind).Bind(1, name).Scalar();

    /// <summary>Returns the name of a kind whose number the writer read from a row.</summary>
    public string KindName(SqliteSession session, long number)
    {
        if (_kindNames.TryGetValue(number, out var known))
        {
            return known;
        }

        // Cache only after the commit: if this transaction added the kind and is rolled back, another kind can get its number. Do not cache
        // a missing name, because it may be added later.
        var name = ReadKindName(session, number);
        if (!name.StartsWith('#'))
        {
            session.AfterCommit(() => _kindNames.TryAdd(number, name));
        }

        return name;
    }

    /// <summary>Returns the name of a kind whose number a reader read from a row.</summary>
    public static string ReadKindName(SqliteSession session, long number)
        => session.Get(NameSql.KindName).Bind(1, number).ScalarText() ?? $"#{number}";

    /// <summary>Clears the cache, because another connection has written or the node has registered again.</summary>
    public void Clear()
    {
        _kinds.Clear();
        _queues.Clear();
        _kindNames.Clear();
    }

    private static long GetOrAdd(
        SqliteSession session, ConcurrentDictionary<string, long> known, string find, string add, string name, bool isOwn)
    {
        if (isOwn && known.TryGetValue(name, out var remembered))
        {
            return remembered;
        }

        if (session.Get(find).Bind(1, name).Scalar() is not { } number)
        {
            session.Get(add).Bind(1, name).Execute();
            number = session.LastInsertId;
        }

        if (isOwn)
        {
            session.AfterCommit(() => known.TryAdd(name, number));
        }

        return number;
    }
}
