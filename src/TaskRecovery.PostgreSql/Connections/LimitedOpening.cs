using System.Runtime.ExceptionServices;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Opens a connection without the thread pool, which handlers may have starved, and waits a limited time for it.</summary>
/// <remarks>The driver has a time-out for connecting, but passes what is left of it to the socket in whole milliseconds. If less than one
/// is left, it passes 0, which means forever: a server that accepts the connection at that moment and says nothing would stop the node's
/// thread for good. Therefore another thread connects, and is left alone if it takes too long.</remarks>
internal sealed class LimitedOpening
{
    // The driver's default, for a connection string without a limit (0).
    private const int DefaultTimeoutSeconds = 15;

    private readonly NpgsqlDataSource _source;
    private readonly object _gate = new();
    private NpgsqlConnection? _connection;
    private Exception? _failure;
    private bool _isAbandoned;

    private LimitedOpening(NpgsqlDataSource source) => _source = source;

    /// <summary>The time after which the driver has certainly given up: it asks each host at most three times.</summary>
    internal static TimeSpan LimitOf(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var hosts = settings.Host?.Split(',').Length ?? 1;
        return TimeSpan.FromSeconds((3 * hosts * (settings.Timeout == 0 ? DefaultTimeoutSeconds : settings.Timeout)) + 2);
    }

    /// <exception cref="NpgsqlException">The connection could not be opened, or not within the limit.</exception>
    internal static NpgsqlConnection Open(NpgsqlDataSource source, TimeSpan limit)
    {
        var opening = new LimitedOpening(source);

        // The caller's ambient transaction does not flow to this thread.
        new Thread(opening.Connect) { IsBackground = true, Name = "TaskRecovery connecting" }.UnsafeStart();
        return opening.Wait(limit);
    }

    private void Connect()
    {
        NpgsqlConnection? connection = null;
        Exception? failure = null;
        try
        {
            connection = _source.OpenConnection();
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (_gate)
        {
            if (!_isAbandoned)
            {
                (_connection, _failure) = (connection, failure);
                Monitor.Pulse(_gate);
                return;
            }
        }

        connection?.Dispose();
    }

    private NpgsqlConnection Wait(TimeSpan limit)
    {
        lock (_gate)
        {
            if (_connection is null && _failure is null)
            {
                Monitor.Wait(_gate, limit);
            }

            if (_failure is not null)
            {
                ExceptionDispatchInfo.Throw(_failure);
            }

            if (_connection is not null)
            {
                return _connection;
            }

            _isAbandoned = true;
        }

        throw new NpgsqlException(
            "The connection could not be opened.", new TimeoutException($"The server did not answer within {limit.TotalSeconds:0.#} s."));
    }
}
