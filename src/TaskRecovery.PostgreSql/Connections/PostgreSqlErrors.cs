using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Translates errors of the driver to those of the engine.</summary>
internal static class PostgreSqlErrors
{
    /// <summary>Raised by <c>fail_lost_claim</c>.</summary>
    internal const string LostClaim = "TR001";

    /// <summary>The exception to throw instead of <paramref name="exception"/>; <see langword="null"/> if it is rethrown as it
    /// is.</summary>
    internal static TaskRecoveryException? Translate(Exception exception, string schema) => exception switch
    {
        PostgresException
        {
            SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName
            or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction
        } error
            => new StoreConfigurationException(
                $"The tables of TaskRecovery are not in schema '{schema}', or are of another version ({error.MessageText}). "
                + "Start the host before it is used (with MigrateOnStart, the start migrates), or migrate with IStoreMigrator, "
                + "or check PostgreSqlOptions.Schema and the connection string's database.", error),
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } error
            => new StoreConfigurationException(
                $"The role may not do this in schema '{schema}' ({error.MessageText}). {Grants(schema)}", error),
        PostgresException
        {
            SqlState: PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName
        } error
            => new StoreConfigurationException($"PostgreSQL does not let us in ({error.SqlState}: {error.MessageText}). Check the user, "
                + "the password and the database of the connection string.", error),
        PostgresException error when IsContent(error)
            || error.SqlState.StartsWith("42", StringComparison.Ordinal) || error.SqlState == LostClaim
            => null,
        PostgresException error
            => new StoreUnavailableException($"PostgreSQL did not confirm ({error.SqlState}: {error.MessageText}).", error)
            {
                IsLockTimeout = string.Equals(error.SqlState, PostgresErrorCodes.LockNotAvailable, StringComparison.Ordinal),
            },
        NpgsqlException error
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({error.Message}).", error),
        SocketException or TimeoutException or IOException
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({exception.Message}).", exception),
        _ => null,
    };

    /// <summary>The exception to throw instead of <paramref name="exception"/>, if that was raised in a caller's transaction and shows a
    /// mistake of the caller; <see langword="null"/> if it does not.</summary>
    /// <param name="exception">The error.</param>
    /// <param name="transaction">The name of the parameter with the transaction.</param>
    /// <param name="hasStored">Whether an earlier statement of the call has stored something in the transaction.</param>
    /// <remarks>As an unavailable store, such an error would spend no attempt of a handler, which would make the same mistake without
    /// end.</remarks>
    internal static Exception? OfCaller(Exception exception, string transaction, bool hasStored = false) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InFailedSqlTransaction } error
            => new ArgumentException(
                "The transaction is aborted: an earlier statement in it failed, and PostgreSQL refuses everything after that. Nothing was "
                + "stored. Roll it back and begin a new one. If the failure is expected, set a savepoint before that statement, and roll "
                + "back to it.", transaction, error),
        NpgsqlOperationInProgressException error
            => new InvalidOperationException(
                "The transaction's connection is executing another command. "
                + (hasStored ? "A part of the call's entries is in the transaction: roll it back. " : "Nothing was stored. ")
                + "Await each call before the next one, and close a reader before the call.", error),
        _ => null,
    };

    /// <summary>The grants that a role needs to run everything except migrations. The record of operators' actions and that of migrations
    /// are not its to change.</summary>
    private static string Grants(string schema)
    {
        var name = PostgreSqlDatabase.Quote(schema);
        return $"As the schema's owner: grant usage on schema {name} to <role>; grant select, insert, update, delete on all tables in "
            + $"schema {name} to <role>; grant usage on all sequences in schema {name} to <role>; "
            + $"grant execute on function {name}.fail_lost_claim(bigint, bigint), {name}.remove_old_events() to <role>; "
            + $"revoke insert, update, delete on {name}.taskrecovery_migrations from <role>; "
            + $"revoke update, delete on {name}.events from <role>.";
    }

    /// <summary>Whether an error shows that the server rejects all connections: it is starting up or shutting down, or nothing listens on
    /// its port.</summary>
    /// <remarks>The end of a session by an administrator (57P01) does not count: a sweeper that ends a dead node's sessions causes the same
    /// error.</remarks>
    internal static bool IsServerRejectingAll(Exception? exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            // With several hosts there is one error for each: another host may accept connections, and its error may be a different one.
            if (error is AggregateException hosts)
            {
                return hosts.InnerExceptions.Count > 0 && hosts.InnerExceptions.All(IsServerRejectingAll);
            }

            if (error is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow }
                or SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an error is caused by a value, so that the server would reject it again: data exceptions, constraints, and limits
    /// of the server. Any other error may be transient.</summary>
    internal static bool IsContent(Exception exception)
        => exception is PostgresException error
            && (error.SqlState.StartsWith("22", StringComparison.Ordinal) || error.SqlState.StartsWith("23", StringComparison.Ordinal)
                || (error.SqlState.StartsWith("54", StringComparison.Ordinal) && !HasNoNumberLeft(error)));

    // Before the numbers of transactions or of shared row locks wrap around, the server refuses every write until an operator has run
    // vacuum. It has no SQLSTATE of its own for that, and its texts are translated: only its routine identifies it.
    private static bool HasNoNumberLeft(PostgresException error)
        => error.Routine is { } routine
            && (string.Equals(routine, "GetNewTransactionId", StringComparison.Ordinal)
                || routine.StartsWith("GetNewMultiXact", StringComparison.Ordinal)
                || routine.StartsWith("MultiXact", StringComparison.Ordinal));

    /// <summary>Whether an answer was late, or the server ended the statement because of its own limit.</summary>
    internal static bool IsTimeout(Exception exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            if (error is TimeoutException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the server had ended the session while it was idle, before it read anything that was sent.</summary>
    internal static bool EndedWhileIdle(Exception exception) => exception is PostgresException { SqlState: "57P05" };

    /// <summary>Whether the server that was reached takes no writes: it is a standby, or was made read-only.</summary>
    internal static bool IsReadOnly(Exception exception)
        => exception is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };

    /// <summary>Whether an immediate retry of the same statement may succeed: after a deadlock or a serialization failure.</summary>
    internal static bool IsConflict(Exception exception)
        => exception is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };
}
