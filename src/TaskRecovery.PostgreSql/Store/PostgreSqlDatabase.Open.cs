using System.Collections.Concurrent;
using System.Transactions;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Connections of the pool, outside any ambient transaction, and known to be alive before anything is sent on them.</content>
internal sealed partial class PostgreSqlDatabase
{
    private const int AskSeconds = 5;
    private const int ManySessions = 10_000;

    // By the server's number of the session: when it was used last.
    private readonly ConcurrentDictionary<int, long> _usedAt = new();

    /// <summary>After how long a silence a session is asked whether it is alive. Whatever ends idle sessions (the server, an administrator, a pooler, a firewall) ends them after a silence;
    /// one round trip after that costs less than an enqueue that may or may not be stored.</summary>
    internal TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(10);

    // The application's data source would enlist a connection in a TransactionScope around the call, and what the library says is stored would be gone when that rolls back.
    private static TransactionScope? OutsideOfAmbientTransaction()
        => Transaction.Current is null ? null : new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

    private async ValueTask<NpgsqlConnection> OpenAliveAsync(CancellationToken cancellationToken)
    {
        using var outside = OutsideOfAmbientTransaction();
        for (var lateAnswers = 0; ;)
        {
            var connection = await DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (WasSilent(connection.ProcessID))
                {
                    var command = new NpgsqlCommand("select 1", connection) { CommandTimeout = Math.Min(AskSeconds, CommandTimeout) };
                    await using var _ = command.ConfigureAwait(false);
                    await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }

                Use(connection.ProcessID);
                return connection;
            }
            catch (NpgsqlException exception) when (connection.FullState != System.Data.ConnectionState.Open && (!PostgreSqlErrors.IsTimeout(exception) || lateAnswers++ == 0))
            {
                // It was found dead before anything was sent: the next one of the pool, or a new one, takes its place.
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Parameters as long as a command has them: one that is given a second chance on another connection finds them free.</summary>
    private readonly struct LentArgs : IDisposable
    {
        private readonly NpgsqlBatchCommand _command;

        internal LentArgs(NpgsqlBatchCommand command, NpgsqlParameter[] args)
        {
            _command = command;
            foreach (var arg in args)
            {
                command.Parameters.Add(arg);
            }
        }

        public void Dispose() => _command.Parameters.Clear();
    }

    private bool WasSilent(int session) => _usedAt.TryGetValue(session, out var usedAt) && TimeProvider.System.GetElapsedTime(usedAt) > Silence;

    private void Use(int session)
    {
        // Sessions that are gone stay in it; forgetting them all costs nothing but a question that is not asked.
        if (_usedAt.Count > ManySessions)
        {
            _usedAt.Clear();
        }

        _usedAt[session] = TimeProvider.System.GetTimestamp();
    }
}
