using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskRecovery.Sqlite;

/// <summary>Translates SQLite's errors for users: either a retry may help, or an operator must act. Messages name the file and the
/// remedy.</summary>
internal static class SqliteErrors
{
    /// <summary>Creates the exception for a result code, with SQLite's own message.</summary>
    public static SqliteException Create(sqlite3 connection, int code, string statement)
    {
        var extended = raw.sqlite3_extended_errcode(connection);
        var first = statement.AsSpan().TrimStart();
        first = first[..Math.Min(first.Length, 60)];
        return new SqliteException(
            $"{raw.sqlite3_errmsg(connection).utf8_to_string()} (SQLite error {code}, {extended}) in: {first}", code & 0xff, extended);
    }

    /// <summary>Translates an error of SQLite into an exception of the library; other exceptions are returned unchanged.</summary>
    public static Exception Translate(Exception exception, string file) => exception switch
    {
        SqliteException error => Translate(error, file),
        FileReplacedException => new StoreUnavailableException(exception.Message, exception),
        CommitUnknownException => new StoreUnavailableException(
            $"'{file}' did not confirm a commit: {exception.Message}. Whether this write is kept is unknown.", exception),
        ObjectDisposedException => new StoreUnavailableException($"The store over '{file}' has been closed.", exception),
        _ => exception,
    };

    /// <summary>The exception if a process can't open the file for the first time. Once it has been opened, the same error may
    /// pass.</summary>
    public static StoreConfigurationException CantOpen(SqliteException error, string file) => new(
        $"'{file}' can't be opened or created. Check that its folder exists and that the process's user may create files in it.", error);

    /// <summary>Returns whether the connection must be reopened after this error.</summary>
    public static bool BreaksConnection(Exception exception)
        => exception is FileReplacedException or CommitUnknownException or SqliteException
        {
            SqliteErrorCode: raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB
                or raw.SQLITE_READONLY or raw.SQLITE_NOMEM or raw.SQLITE_MISUSE,
        };

    /// <summary>Returns whether a call failed because another connection holds a lock that it needs, so that a later attempt may succeed.
    /// None does if the database has changed since the transaction's first read.</summary>
    public static bool IsWorthWaiting(int code, int extendedCode)
        => (code & 0xff) == raw.SQLITE_BUSY && extendedCode != raw.SQLITE_BUSY_SNAPSHOT;

    private static TaskRecoveryException Translate(SqliteException error, string file) => error.SqliteErrorCode switch
    {
        raw.SQLITE_NOTADB => new StoreConfigurationException(
            $"'{file}' is not a SQLite database, or it is encrypted. Nothing in it was changed. Give another path in 'Data Source', "
            + "or move the file away.", error),
        raw.SQLITE_CORRUPT => new StoreConfigurationException(
            $"'{file}' is damaged: {error.Message}. Stop all processes that use it, then restore a backup, or save what can be read with "
            + "the 'sqlite3' tool's '.recover'.", error),
        raw.SQLITE_READONLY => new StoreConfigurationException(
            $"'{file}' can't be written: it or its folder is read-only for this process. Give the process's user the right to write the "
            + "file and to create files beside it.", error),
        raw.SQLITE_PERM or raw.SQLITE_AUTH => new StoreConfigurationException(
            $"This process has no right to use '{file}'. Give its user the right to read and write it, "
            + "and to create files beside it.", error),
        raw.SQLITE_CANTOPEN => new StoreUnavailableException(
            $"'{file}' or a file beside it can't be opened at the moment. Check how many files the process has open and may open, "
            + "that the folder still exists, and that the process's user may create files in it.", error),
        raw.SQLITE_FULL => new StoreUnavailableException(
            $"'{file}' can't grow: the disk, or the database by its own limit, is full. Nothing of this write was stored. "
            + "Make room on the disk, or keep ended entries for less time (RetentionOptions).", error),
        raw.SQLITE_TOOBIG or raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE => new ContentRefusedException(
            $"SQLite refused a value: {error.Message}", error),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new StoreUnavailableException(
            $"'{file}' stayed locked by another connection for too long. Keep your own transactions on it short, "
            + "and begin them as immediate ones (not deferred).", error),
        // The statements are tested, so this error means that tables are missing or differ from the expected schema.
        raw.SQLITE_ERROR or raw.SQLITE_SCHEMA => new StoreConfigurationException(
            $"'{file}' does not have the library's tables as this version needs them ({error.Message}). Start the host before it is used: "
            + "the start migrates if SqliteOptions.MigrateOnStart is set. Or call IStoreMigrator.MigrateAsync().", error),
        _ => new StoreUnavailableException($"'{file}' could not be used: {error.Message}", error),
    };
}
