using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Says what an error of the driver means to the engine.</summary>
internal static class PostgreSqlErrors
{
    /// <summary>Raised by <c>fail_lost_claim</c>.</summary>
    internal const string LostClaim = "TR001";

    /// <summary>The exception to throw in place of this one; <see langword="null"/> to let it pass.</summary>
    internal static TaskRecoveryException? Translate(Exception exception, string schema) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction } error
            => new StoreConfigurationException($"The tables of TaskRecovery are not in schema '{schema}', or are of another version ({error.MessageText}). Migrate with IStoreMigrator, or check PostgreSqlOptions.Schema and the connection string's database.", error),
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } error
            => new StoreConfigurationException($"The role may not do this in schema '{schema}' ({error.MessageText}). Grant it usage on the schema, and select, insert, update and delete on its tables, usage on its sequences.", error),
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName } error
            => new StoreConfigurationException($"PostgreSQL does not let us in ({error.SqlState}: {error.MessageText}). Check the user, the password and the database of the connection string.", error),
        PostgresException error when IsTransient(error)
            => new StoreUnavailableException($"PostgreSQL did not confirm ({error.SqlState}: {error.MessageText}).", error),
        PostgresException => null,
        NpgsqlException error
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({error.Message}).", error),
        SocketException or TimeoutException or IOException
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({exception.Message}).", exception),
        _ => null,
    };

    /// <summary>Whether the server itself says that it accepts nobody now: it starts up, shuts down, or nobody listens.</summary>
    /// <remarks>Not the end of a session by an administrator (57P01): a sweeper that ends a dead node's sessions looks the same.</remarks>
    internal static bool ProvesNobodyGetsIn(Exception? exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            if (error is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow }
                or SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Trying the same statement again at once may do: a deadlock or a serialization failure.</summary>
    internal static bool IsConflict(Exception exception)
        => exception is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    // IsTransient leaves out what a server says on its way down or into a standby's role, and a statement timeout.
    private static bool IsTransient(PostgresException error)
        => error.IsTransient
            || error.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.QueryCanceled
                or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.InFailedSqlTransaction or PostgresErrorCodes.DeadlockDetected
                or "25P03" // idle in transaction for too long
            || error.SqlState.StartsWith("53", StringComparison.Ordinal)
            || error.SqlState.StartsWith("58", StringComparison.Ordinal)
            || error.SqlState.StartsWith("08", StringComparison.Ordinal);
}
