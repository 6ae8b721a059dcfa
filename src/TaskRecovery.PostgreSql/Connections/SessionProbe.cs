using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Detects a pooler that shares the server's sessions between connections, before anything is locked, set or prepared in a
/// session.</summary>
internal static class SessionProbe
{
    // Which session a pooler assigns to a transaction depends on its other clients, so one round may miss the sharing.
    private const int Rounds = 3;

    // The error of a pooler that shares sessions between statements when it receives "begin".
    private const string ProtocolViolation = "08P01";

    /// <summary>Identifies a session: the process id and the start time of the server, because two servers may use the same process
    /// id.</summary>
    private const string Session = "select pg_catalog.pg_backend_pid() || ' ' || pg_catalog.pg_postmaster_start_time()";

    /// <summary>Whether two open connections used the same session, or one connection used two sessions.</summary>
    internal static async ValueTask<bool> IsSharedAsync(PostgreSqlDatabase database, CancellationToken cancellationToken)
    {
        var first = await database.OpenUntouchedAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = first.ConfigureAwait(false);
        var second = await database.OpenUntouchedAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = second.ConfigureAwait(false);
        for (var round = 0; round < Rounds; round++)
        {
            var before = await ReadAsync(database, first, cancellationToken).ConfigureAwait(false);
            var transaction = await second.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using var ___ = transaction.ConfigureAwait(false);
            string other;
            try
            {
                other = await ReadAsync(database, second, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exception) when (string.Equals(exception.SqlState, ProtocolViolation, StringComparison.Ordinal))
            {
                return true;
            }

            // If the pooler has a single session, do not query again: the query would wait for the open transaction.
            if (string.Equals(before, other, StringComparison.Ordinal)
                || !string.Equals(
                    before, await ReadAsync(database, first, cancellationToken).ConfigureAwait(false), StringComparison.Ordinal))
            {
                return true;
            }

            await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    private static async ValueTask<string> ReadAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Session, connection) { CommandTimeout = database.CommandTimeout };
        await using var _ = command.ConfigureAwait(false);
        return (string)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
