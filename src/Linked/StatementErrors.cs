using Npgsql;

namespace TaskRecovery.Storage;

/// <summary>Tells an error of one statement from one that every statement would meet.</summary>
internal static class StatementErrors
{
    /// <summary>Returns whether a server that can be used has answered with this error, so that other statements may succeed: a damaged
    /// page, a locked table, or too little memory for this one.</summary>
    public static bool IsOfOneStatement(PostgresException error)
        => error.SqlState is not (PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.TooManyConnections)
            && !error.SqlState.StartsWith("08", StringComparison.Ordinal)
            && !error.SqlState.StartsWith("28", StringComparison.Ordinal)
            && !error.SqlState.StartsWith("57P", StringComparison.Ordinal);
}
