using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Detects a commit that PostgreSQL reported as successful although no synchronous standby has confirmed it.</summary>
/// <remarks>If the wait for a standby is cancelled (a time-out of the application's data source, <c>pg_cancel_backend</c>), PostgreSQL
/// reports success and a warning. The transaction is committed on the primary, but a failover can lose it.</remarks>
internal sealed class CommitWatch : IDisposable
{
    // The warning has no SQLSTATE of its own and its text is translated: only the server's routine identifies it.
    private const string Routine = "SyncRepWaitForLSN";

    private readonly NpgsqlConnection _connection;
    private volatile bool _unconfirmed;

    internal CommitWatch(NpgsqlConnection connection)
    {
        _connection = connection;
        connection.Notice += OnNotice;
    }

    /// <summary>Throws if a standby did not confirm a commit since the last call.</summary>
    /// <exception cref="StoreUnavailableException">A commit since the last call is not confirmed.</exception>
    internal void ThrowIfUnconfirmed()
    {
        if (_unconfirmed)
        {
            _unconfirmed = false;
            throw new StoreUnavailableException(
                "PostgreSQL did not confirm: the wait for its synchronous standby was cancelled. The transaction is committed on the "
                + "primary; a failover may lose it. Check the standby, and set Cancellation Timeout=-1 in the connection string of a "
                + "data source of your own.");
        }
    }

    public void Dispose() => _connection.Notice -= OnNotice;

    private void OnNotice(object sender, NpgsqlNoticeEventArgs notice)
        => _unconfirmed |= string.Equals(notice.Notice.Routine, Routine, StringComparison.Ordinal);
}
