using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>The small numbers that stand for the names of kinds and queues, remembered by the writer as long as no other connection has written.</summary>
/// <remarks>A name keeps its number, but a file that was restored or emptied under a living process has other numbers. Whatever changes it is a commit of another connection, and the writer
/// sees each of them before its next transaction does anything. Readers, and the callers' own transactions, see the file at another moment than the writer and ask for every name.</remarks>
internal sealed class SqliteNames
{
    private readonly ConcurrentDictionary<string, long> _kinds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _kindNames = new();

    /// <summary>A kind's number; a new one is added.</summary>
    /// <param name="session">In a transaction that writes.</param>
    /// <param name="name">The kind.</param>
    /// <param name="isOwn">Whether the transaction is the writer's, and says when it has been committed.</param>
    public long Kind(SqliteSession session, string name, bool isOwn) => GetOrAdd(session, _kinds, NameSql.FindKind, NameSql.AddKind, name, isOwn);

    /// <summary>A queue's number; a new one is added.</summary>
    public long Queue(SqliteSession session, string name, bool isOwn) => GetOrAdd(session, _queues, NameSql.FindQueue, NameSql.AddQueue, name, isOwn);

    /// <summary>A queue's number, if it was ever used.</summary>
    public static long? FindQueue(SqliteSession session, string name) => session.Get(NameSql.FindQueue).Bind(1, name).Scalar();

    /// <summary>A kind's number, if it was ever used.</summary>
    public static long? FindKind(SqliteSession session, string name) => session.Get(NameSql.FindKind).Bind(1, name).Scalar();

    /// <summary>The kind of a number that the writer read from a row.</summary>
    public string KindName(SqliteSession session, long number)
    {
        if (_kindNames.TryGetValue(number, out var known))
        {
            return known;
        }

        // A kind that was added in this very transaction may still be taken back, and its number given to another. A number without a name
        // may get one.
        var name = ReadKindName(session, number);
        if (!name.StartsWith('#'))
        {
            session.AfterCommit(() => _kindNames.TryAdd(number, name));
        }

        return name;
    }

    /// <summary>The kind of a number that a reader read from a row.</summary>
    public static string ReadKindName(SqliteSession session, long number)
    {
        var statement = session.Get(NameSql.KindName).Bind(1, number);
        var name = statement.Step() ? statement.Text(0) : $"#{number}";
        statement.Reset();
        return name;
    }

    /// <summary>Forgets all numbers: another connection has written, or another life of the node begins.</summary>
    public void Clear()
    {
        _kinds.Clear();
        _queues.Clear();
        _kindNames.Clear();
    }

    private static long GetOrAdd(SqliteSession session, ConcurrentDictionary<string, long> known, string find, string add, string name, bool isOwn)
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
