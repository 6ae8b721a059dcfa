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
            => new StoreConfigurationException($"The role may not do this in schema '{schema}' ({error.MessageText}). {Grants(schema)}", error),
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName } error
            => new StoreConfigurationException($"PostgreSQL does not let us in ({error.SqlState}: {error.MessageText}). Check the user, the password and the database of the connection string.", error),
        PostgresException error when IsContent(error) || error.SqlState.StartsWith("42", StringComparison.Ordinal) || error.SqlState == LostClaim
            => null,
        PostgresException error
            => new StoreUnavailableException($"PostgreSQL did not confirm ({error.SqlState}: {error.MessageText}).", error),
        NpgsqlException error
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({error.Message}).", error),
        SocketException or TimeoutException or IOException
            => new StoreUnavailableException($"PostgreSQL can't be reached, or did not answer in time ({exception.Message}).", exception),
        _ => null,
    };

    /// <summary>What a role that runs everything but migrations needs.</summary>
    private static string Grants(string schema)
    {
        var name = PostgreSqlDatabase.Quote(schema);
        return $"As the schema's owner: grant usage on schema {name} to <role>; grant select, insert, update, delete on all tables in schema {name} to <role>; grant usage on all sequences in schema {name} to <role>.";
    }

    /// <summary>Whether the server itself says that it accepts nobody now: it starts up, shuts down, or nobody listens.</summary>
    /// <remarks>Not the end of a session by an administrator (57P01): a sweeper that ends a dead node's sessions looks the same.</remarks>
    internal static bool IsServerRejectingAll(Exception? exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            // Of several hosts, one error each: another host may accept connections, and its error may be something else.
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

    /// <summary>Whether an error is about a value, which the server would refuse again: data exceptions, constraints, and limits of the server. Any other may pass.</summary>
    internal static bool IsContent(Exception exception)
        => exception is PostgresException error
            && (error.SqlState.StartsWith("22", StringComparison.Ordinal) || error.SqlState.StartsWith("23", StringComparison.Ordinal) || error.SqlState.StartsWith("54", StringComparison.Ordinal));

    /// <summary>Whether an answer did not come in time, or the server ended the statement because of its own limit.</summary>
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

    /// <summary>Whether the server had ended this session while it was idle, before it read anything of what was sent.</summary>
    internal static bool EndedWhileIdle(Exception exception) => exception is PostgresException { SqlState: "57P05" };

    /// <summary>Trying the same statement again at once may do: a deadlock or a serialization failure.</summary>
    internal static bool IsConflict(Exception exception)
        => exception is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };
}
