using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Hears whether a commit was confirmed although no synchronous standby has it.</summary>
/// <remarks>If the wait for a standby is cancelled (a time-out of the application's data source, <c>pg_cancel_backend</c>), PostgreSQL
/// reports success and a warning.
/// The transaction is committed on the primary, but a failover can lose it.</remarks>
internal sealed class CommitWatch : IDisposable
{
    // The notice has no SQLSTATE of its own and its text is translated: the server's routine tells it from all others.
    private const string Routine = "SyncRepWaitForLSN";

    private readonly NpgsqlConnection _connection;
    private volatile bool _unconfirmed;

    internal CommitWatch(NpgsqlConnection connection)
    {
        _connection = connection;
        connection.Notice += OnNotice;
    }

    /// <summary>Throws if a commit since the last call is not confirmed.</summary>
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
