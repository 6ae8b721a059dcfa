using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Refuses callers' transactions of other databases. The numbers of kinds and queues differ between databases, so that an entry
/// would be stored there as one of another kind.</summary>
/// <remarks>Where a service has several servers, the database often has the same name on each, and a pooler may have several names for
/// one database. So the first transaction from each address is asked which database it is in; later ones cost nothing. What the migrations
/// recorded can't tell databases apart: those that were created from one dump have the same records.</remarks>
internal sealed class TransactionCheck(PostgreSqlDatabase database)
{
    // A process reaches few addresses. If it reaches more, some are asked again.
    private const int MostAddresses = 1_000;

    private readonly ConcurrentDictionary<(string Server, string Database), bool> _checked = new();
    private DatabaseIdentity? _own;

    /// <summary>Reads which database the store is in. Called when the store is prepared: to open a connection while callers' transactions
    /// are open could exhaust a pool that both use.</summary>
    internal async ValueTask PrepareAsync(CancellationToken cancellationToken)
    {
        await ReadOwnAsync(cancellationToken).ConfigureAwait(false);
        _checked.Clear();
    }

    /// <summary>The connection of a caller's transaction.</summary>
    /// <exception cref="ArgumentException">The transaction has ended, or is one of another database.</exception>
    /// <exception cref="StoreUnavailableException">The connection was lost.</exception>
    internal ValueTask<NpgsqlConnection> RequireOwnAsync(DbTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = ConnectionOf(transaction);
        var address = (connection.DataSource, connection.Database);
        return _checked.ContainsKey(address)
            ? ValueTask.FromResult(connection)
            : AskAsync(transaction, connection, address, cancellationToken);
    }

    /// <summary>Throws if a transaction that was open has ended. Another one may have begun on its session by then.</summary>
    /// <exception cref="ArgumentException">The transaction has ended.</exception>
    /// <exception cref="StoreUnavailableException">The connection was lost.</exception>
    internal static void RequireOpen(DbTransaction transaction, NpgsqlConnection connection)
    {
        InvalidOperationException? ended = null;
        if (transaction is not NpgsqlTransaction theirs || !ReferenceEquals(FindOpen(theirs, out ended), connection))
        {
            throw new ArgumentException(
                "The transaction has ended during this call: it was committed, rolled back or disposed, or its connection was closed. "
                + "What the call had stored in it before, if anything, was committed or rolled back with it; nothing else was stored. "
                + "Await each call before the transaction ends.",
                nameof(transaction), ended);
        }
    }

    private static NpgsqlConnection ConnectionOf(DbTransaction transaction)
    {
        if (transaction is not NpgsqlTransaction theirs)
        {
            throw new ArgumentException(
                $"The transaction is a {transaction.GetType()}; the PostgreSQL store takes an NpgsqlTransaction.", nameof(transaction));
        }

        return FindOpen(theirs, out var ended) ?? throw new ArgumentException(
            "The transaction has ended: it was committed, rolled back or disposed, or its connection was closed. Nothing was stored. Begin "
            + "a new one.",
            nameof(transaction), ended);
    }

    // The driver keeps the connection of a transaction that was committed or rolled back. A statement there would be committed at once, by
    // itself. The isolation level can be read only while the transaction is open. If the connection broke, the driver has disposed the
    // transaction and keeps the reason.
    private static NpgsqlConnection? FindOpen(NpgsqlTransaction transaction, out InvalidOperationException? ended)
    {
        ended = null;
        try
        {
            _ = transaction.IsolationLevel;
            return transaction.Connection;
        }
        catch (ObjectDisposedException exception) when (exception.InnerException is { } reason)
        {
            throw new StoreUnavailableException(
                $"The connection of the transaction was lost ({reason.Message}). This call has stored nothing. Begin a new transaction on "
                + "a new connection.", reason);
        }
        catch (InvalidOperationException exception)
        {
            ended = exception;
            return null;
        }
    }

    private async ValueTask<NpgsqlConnection> AskAsync(
        DbTransaction transaction, NpgsqlConnection connection, (string Server, string Database) address,
        CancellationToken cancellationToken)
    {
        var own = Volatile.Read(ref _own) ?? await ReadOwnAsync(cancellationToken).ConfigureAwait(false);
        var theirs = await ReadAsync(connection, own.Server is not null, cancellationToken).ConfigureAwait(false);

        // A pooler may lead to one database by several names. Only the numbers tell.
        var hasOtherName = database.DatabaseName is { } name && !string.Equals(address.Database, name, StringComparison.Ordinal);
        bool IsOther(DatabaseIdentity ours) => hasOtherName ? !ours.Is(theirs) : !ours.MayBe(theirs);

        // The store's database may have been moved to another server since its identity was read.
        if (IsOther(own) && IsOther(own = await ReadOwnAsync(cancellationToken).ConfigureAwait(false)))
        {
            throw new ArgumentException(
                hasOtherName ? OtherName(address.Database, own.MayBe(theirs)) : SameName(address), nameof(transaction));
        }

        if (_checked.Count >= MostAddresses)
        {
            _checked.Clear();
        }

        _checked[address] = true;
        RequireOpen(transaction, connection);
        return connection;
    }

    private static string SameName((string Server, string Database) address)
        => $"The transaction is in a database on {address.Server} that is another one than the store's, although both are named "
            + $"'{address.Database}'. Pass a transaction of the store's database.";

    private string OtherName(string name, bool mayBeSame)
    {
        var text = $"The transaction is one of the database '{name}', and the store is in '{database.DatabaseName}'. "
            + "Pass a transaction of the store's database";
        return mayBeSame
            ? $"{text}, or grant the roles of both execute on pg_control_system() and pg_stat_get_activity(integer): they show whether "
                + "both names lead to one database."
            : $"{text}.";
    }

    private async ValueTask<DatabaseIdentity> ReadOwnAsync(CancellationToken cancellationToken)
    {
        var own = await database.UseAsync(ReadTolerantlyAsync, cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _own, own);
        return own;
    }

    private async ValueTask<DatabaseIdentity> ReadTolerantlyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(connection, withServer: true, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException) when (connection.FullState == ConnectionState.Open)
        {
            // A database that calls itself PostgreSQL may not support the question. It is not asked in a caller's transaction then, which
            // an error would end.
            return await ReadAsync(connection, withServer: false, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<DatabaseIdentity> ReadAsync(
        NpgsqlConnection connection, bool withServer, CancellationToken cancellationToken)
    {
        // An error would end a caller's transaction, so rights are looked up before they are used.
        var (mayAskDatabase, mayAskServer) = await ReadRowAsync(
            connection, IdentitySql.Rights, static row => (row.GetBoolean(0), row.GetBoolean(1)), cancellationToken).ConfigureAwait(false);
        long? number = mayAskDatabase
            ? await ReadRowAsync(connection, IdentitySql.Database, static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)
            : null;
        long? server = withServer && mayAskServer
            ? await ReadRowAsync(connection, IdentitySql.Server, static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)
            : null;
        return new DatabaseIdentity(number, server);
    }

    // Not prepared: it runs once for each address, and what is prepared stays on the caller's connection.
    private async ValueTask<T> ReadRowAsync<T>(
        NpgsqlConnection connection, string statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(statement, connection) { CommandTimeout = database.CommandTimeout };
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return read(reader);
    }
}
