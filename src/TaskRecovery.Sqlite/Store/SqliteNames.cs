using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>The small numbers that stand for the names of kinds and queues. A row is never changed or removed, so what was read once stays true.</summary>
internal sealed class SqliteNames
{
    private readonly ConcurrentDictionary<string, long> _kinds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _queues = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _kindNames = new();

    /// <summary>A kind's number; a new one is added.</summary>
    /// <param name="session">In a transaction that writes.</param>
    /// <param name="name">The kind.</param>
    /// <param name="isOwn">Whether the transaction is the library's, and says when it has been committed.</param>
    public long Kind(SqliteSession session, string name, bool isOwn) => GetOrAdd(session, _kinds, NameSql.FindKind, NameSql.AddKind, name, isOwn);

    /// <summary>A queue's number; a new one is added.</summary>
    public long Queue(SqliteSession session, string name, bool isOwn) => GetOrAdd(session, _queues, NameSql.FindQueue, NameSql.AddQueue, name, isOwn);

    /// <summary>A queue's number, if it was ever used.</summary>
    public long? FindQueue(SqliteSession session, string name) => Find(session, _queues, NameSql.FindQueue, name);

    /// <summary>A kind's number, if it was ever used.</summary>
    public long? FindKind(SqliteSession session, string name) => Find(session, _kinds, NameSql.FindKind, name);

    /// <summary>The kind of a number that was read from a row.</summary>
    public string KindName(SqliteSession session, long number)
    {
        if (_kindNames.TryGetValue(number, out var name))
        {
            return name;
        }

        var statement = session.Get(NameSql.KindName).Bind(1, number);
        name = statement.Step() ? statement.Text(0) : $"#{number}";
        statement.Reset();

        // A kind that was added in this very transaction may still be taken back, and its number given to another.
        session.AfterCommit(() => _kindNames.TryAdd(number, name));
        return name;
    }

    private static long? Find(SqliteSession session, ConcurrentDictionary<string, long> known, string find, string name)
        => known.TryGetValue(name, out var number) ? number : session.Get(find).Bind(1, name).Scalar();

    private static long GetOrAdd(SqliteSession session, ConcurrentDictionary<string, long> known, string find, string add, string name, bool isOwn)
    {
        if (Find(session, known, find, name) is { } found)
        {
            if (isOwn && !known.ContainsKey(name))
            {
                session.AfterCommit(() => known.TryAdd(name, found));
            }

            return found;
        }

        session.Get(add).Bind(1, name).Execute();
        var number = session.LastInsertId;
        if (isOwn)
        {
            session.AfterCommit(() => known.TryAdd(name, number));
        }

        return number;
    }
}
