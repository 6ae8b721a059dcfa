using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Finds out whether a pooler lets several connections share the server's sessions, before anything is locked, set or prepared in
/// one.</summary>
internal static class SessionProbe
{
    // Which session a pooler gives to a transaction depends on what other clients do at that moment.
    private const int Rounds = 3;

    // What a pooler answers to "begin" where it shares sessions between statements.
    private const string ProtocolViolation = "08P01";

    /// <summary>The server's process, and which life of the server: two servers may have processes of one number.</summary>
    private const string Session = "select pg_catalog.pg_backend_pid() || ' ' || pg_catalog.pg_postmaster_start_time()";

    /// <summary>Whether two connections that are open at once were in one session, or one connection was in two.</summary>
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

            // Not asked again where the pooler has but one session: it would wait for the transaction.
            if (string.Equals(before, other, StringComparison.Ordinal)
                || !string.Equals(before, await ReadAsync(database, first, cancellationToken).ConfigureAwait(false), StringComparison.Ordinal))
            {
                return true;
            }

            await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    private static async ValueTask<string> ReadAsync(PostgreSqlDatabase database, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Session, connection) { CommandTimeout = database.CommandTimeout };
        await using var _ = command.ConfigureAwait(false);
        return (string)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
