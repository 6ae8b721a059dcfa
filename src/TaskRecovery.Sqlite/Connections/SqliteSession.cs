using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskRecovery.Sqlite;

/// <summary>A connection with its prepared statements. Used by one caller at a time.</summary>
internal sealed class SqliteSession(SqliteConnection connection, bool ownsConnection) : IDisposable
{
    private const int CacheWrite = 9; // SQLITE_DBSTATUS_CACHE_WRITE

    // Compared by reference: the texts are constants, and hashing them would cost more than the look-up.
    private readonly Dictionary<string, SqliteStatement> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly List<Action> _afterCommit = [];

    public SqliteConnection Connection => connection;

    /// <summary>The files that the connection has open. Every commit checks that their paths still name them.</summary>
    public OpenFiles? Files { get; set; }

    private sqlite3 Handle => connection.Handle ?? throw new InvalidOperationException("The connection is closed.");

    /// <summary>The id of the last inserted row.</summary>
    public long LastInsertId => raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>Whether a transaction is open on the connection.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    /// <summary>Whether the caller's transaction has read or written.</summary>
    public bool HasRead => CallersTransaction.HasRead(Handle);

    /// <summary>Whether the file is read-only.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(Handle, "main") == 1;

    /// <summary>Returns a prepared statement, which the session keeps.</summary>
    /// <param name="text">A constant.</param>
    public SqliteStatement Get(string text)
    {
        if (!_statements.TryGetValue(text, out var statement))
        {
            statement = Prepare(text);
            _statements.Add(text, statement);
        }

        return statement;
    }

    /// <summary>Prepares a statement that is used once; the caller disposes of it.</summary>
    public SqliteStatement Prepare(string text)
    {
        var code = raw.sqlite3_prepare_v2(Handle, text, out var handle);
        return code == raw.SQLITE_OK ? new SqliteStatement(Handle, handle, text) : throw SqliteErrors.Create(Handle, code, text);
    }

    /// <summary>Runs one or more statements without parameters.</summary>
    public void Execute(string text)
    {
        var code = raw.sqlite3_exec(Handle, text);
        if (code != raw.SQLITE_OK)
        {
            throw SqliteErrors.Create(Handle, code, text);
        }
    }

    /// <summary>Returns the number of pages that this connection has written since the last call.</summary>
    public int TakePagesWritten()
    {
        raw.sqlite3_db_status(Handle, CacheWrite, out var pages, out _, 1);
        return pages;
    }

    /// <summary>Copies pages of the log into the database file, without waiting for readers or writers.</summary>
    /// <returns>The number of pages in the log, and how many of them have been copied; <see langword="null"/> if another connection is
    /// running a checkpoint.</returns>
    public (int Pages, int Copied)? Checkpoint() => ReadLog("pragma wal_checkpoint(passive)");

    /// <summary>As <see cref="Checkpoint"/>, without copying anything. A SQLite release before 3.51 copies.</summary>
    public (int Pages, int Copied)? ReadLog() => ReadLog("pragma wal_checkpoint(noop)");

    /// <summary>Returns a number that changes when another connection has committed since the last call.</summary>
    public long ReadDataVersion() => Get("pragma data_version").Scalar() ?? 0;

    /// <summary>Runs a pragma and returns its answer as text.</summary>
    public string? Query(string text)
    {
        using var statement = Prepare(text);
        return statement.ScalarText();
    }

    /// <summary>Makes SQLite trust the file less: no unsafe functions in the schema, a check of every page's cells, and no direct writes to
    /// internal tables.</summary>
    public void Harden()
    {
        raw.sqlite3_db_config(Handle, raw.SQLITE_DBCONFIG_DEFENSIVE, 1, out _);
        Execute("pragma trusted_schema = off; pragma cell_size_check = on");
    }

    /// <summary>Begins a write transaction.</summary>
    /// <returns><see langword="false"/> if another connection holds the write lock.</returns>
    public bool TryBeginImmediate() => Get("begin immediate").TryExecute();

    /// <summary>Makes the caller's deferred transaction a write transaction, as its first write would.</summary>
    /// <param name="knowsState">Whether the state of the transaction can be determined. If not, every transaction seems to hold the
    /// lock.</param>
    /// <returns><see langword="false"/> if another connection holds the write lock.</returns>
    public bool TryTakeWriteLock(bool knowsState)
        => (knowsState && CallersTransaction.HoldsWriteLock(Handle)) || Get(NodeSql.TakeWriteLock).TryExecute();

    /// <summary>Commits. Once SQLite has committed, only a replaced file makes this fail: after any other error the caller would store
    /// again what is stored.</summary>
    /// <exception cref="FileReplacedException">The file or its log was replaced: whether the transaction is kept is unknown.</exception>
    /// <exception cref="CommitUnknownException">Whether the transaction is kept is unknown. After any other error of SQLite it is
    /// not.</exception>
    public void Commit()
    {
        try
        {
            Get("commit").Execute();
        }
        catch (SqliteException exception) when (SqliteErrors.BreaksConnection(exception))
        {
            throw new CommitUnknownException(exception);
        }

        Files?.Confirm();
        foreach (var action in _afterCommit)
        {
            RunAfterCommit(action);
        }

        _afterCommit.Clear();
    }

    /// <summary>Rolls back the open transaction, whatever state the connection is in.</summary>
    public void Rollback()
    {
        _afterCommit.Clear();
        Reset();
        if (InTransaction)
        {
            Get("rollback").Execute();
        }
    }

    /// <summary>Resets every statement, because an exception may have left some in the middle of their rows.</summary>
    public void Reset()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Reset();
        }
    }

    /// <summary>Runs an action after the transaction has been committed. It never runs if the transaction is rolled back or belongs to the
    /// caller of the library. An exception of the action is ignored.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        if (ownsConnection)
        {
            // The last connection copies the log into the database and deletes it by name, but these names refer to other files now.
            if (Files?.FindReplaced() is not null && connection.Handle is { } handle)
            {
                raw.sqlite3_db_config(handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
            }

            Files?.Forget();
            Files = null;
            connection.Dispose();
        }
    }

    private (int Pages, int Copied)? ReadLog(string text)
    {
        // If the log was replaced, its pages must not be copied into the database.
        Files?.Confirm();
        var statement = Get(text);
        (int, int)? result = statement.Step() && statement.Int32(0) == 0
            ? (Math.Max(0, statement.Int32(1)), Math.Max(0, statement.Int32(2))) : null;
        statement.Reset();
        return result;
    }

    private static void RunAfterCommit(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // The transaction is stored, whatever this action throws.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The actions fill caches. What is missing in a cache is read from the database.
        }
    }
}
