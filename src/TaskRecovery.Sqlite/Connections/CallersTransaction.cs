using System.Data.Common;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskRecovery.Sqlite;

/// <summary>Examines a transaction of the application.</summary>
internal static partial class CallersTransaction
{
    // The library of the bundle that this project references. An application may have chosen another one.
    private const string Library = "e_sqlite3";
    private const int None = 0; // SQLITE_TXN_NONE
    private const int Writes = 2; // SQLITE_TXN_WRITE

    /// <summary>Whether the state of a transaction can be determined: only with the library of the bundle that this project
    /// references.</summary>
    public static bool KnowsStates => string.Equals(raw.GetNativeLibraryName(), Library, StringComparison.Ordinal);

    /// <summary>Returns the connection of an active transaction.</summary>
    /// <exception cref="ArgumentException">The transaction is of another provider, has ended, or was rolled back by SQLite.</exception>
    public static SqliteConnection Connection(DbTransaction transaction)
    {
        if (transaction is not SqliteTransaction { Connection: { } connection })
        {
            throw new ArgumentException(
                transaction is SqliteTransaction
                    ? "The transaction has ended."
                    : $"The transaction is a {transaction.GetType().Name}; the SQLite store takes a SqliteTransaction.",
                nameof(transaction));
        }

        // After some errors (a full disk, 'insert or rollback') SQLite rolls back the transaction by itself. Later statements would then be
        // committed one by one.
        if (raw.sqlite3_get_autocommit(connection.Handle!) != 0)
        {
            throw new ArgumentException(
                "The transaction is not active any more: SQLite rolled it back by itself after an error of an earlier statement, "
                + "so nothing of it is stored. Begin a new one.", nameof(transaction));
        }

        return connection;
    }

    /// <summary>Returns whether a connection's transaction holds the write lock: a deferred one that has only read does not. If this can't
    /// be determined, every open transaction counts.</summary>
    public static bool HoldsWriteLock(sqlite3 connection)
        => raw.sqlite3_get_autocommit(connection) == 0 && (StateOf(connection) ?? Writes) == Writes;

    /// <summary>Returns whether a connection's transaction has a snapshot, which a commit of another connection makes too old to write. If
    /// this can't be determined, every transaction counts.</summary>
    public static bool HasRead(sqlite3 connection) => StateOf(connection) != None;

    private static int? StateOf(sqlite3 connection)
        => KnowsStates ? TransactionState(connection, "main") : null;

    // SQLitePCLRaw has loaded the library. The handle itself is passed, so that it can't be closed during the call.
    [LibraryImport(Library, EntryPoint = "sqlite3_txn_state", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int TransactionState(sqlite3 connection, string schema);
}
