using System.Collections.Concurrent;
using System.Transactions;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Opens connections of the pool, outside any ambient transaction, and checks that they are alive before they are used.</content>
internal sealed partial class PostgreSqlDatabase
{
    private const int AskSeconds = 5;
    private const int ManySessions = 10_000;

    // When a session was used last, by its process id on the server.
    private readonly ConcurrentDictionary<int, long> _usedAt = new();

    /// <summary>How long a session may be unused before it is probed. Servers, administrators, poolers and firewalls end sessions that are
    /// idle; one round trip costs less than an enqueue that may or may not be stored.</summary>
    internal TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(10);

    // The application's data source would enlist the connection in the caller's TransactionScope. If the scope rolled back, entries that
    // the library reported as stored would be lost.
    private static TransactionScope? OutsideOfAmbientTransaction()
        => Transaction.Current is null ? null
            : new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

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
            catch (NpgsqlException exception) when (connection.FullState != System.Data.ConnectionState.Open
                && (!PostgreSqlErrors.IsTimeout(exception) || lateAnswers++ == 0))
            {
                // The connection was found dead before anything was sent: use the next one of the pool, or a new one.
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Adds parameters to a command and removes them when disposed, so that a retry on another connection can use them
    /// again.</summary>
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

    private bool WasSilent(int session)
        => _usedAt.TryGetValue(session, out var usedAt) && TimeProvider.System.GetElapsedTime(usedAt) > Silence;

    private void Use(int session)
    {
        // Sessions that have ended stay in the map. Clearing it costs nothing but a skipped probe.
        if (_usedAt.Count > ManySessions)
        {
            _usedAt.Clear();
        }

        _usedAt[session] = TimeProvider.System.GetTimestamp();
    }
}
