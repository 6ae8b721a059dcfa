using System.Data;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>The connection that a process keeps open outside the pool. While the process has little to do, all its statements run on it,
/// one at a time; and while the process listens, its notifications arrive on it.</summary>
/// <param name="open">Opens the connection, first and after it broke.</param>
/// <param name="time">The clock of the pauses.</param>
internal sealed class HomeConnection(Func<CancellationToken, ValueTask<NpgsqlConnection>> open, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1);

    // A cancellation that arrives while the driver begins to wait may be lost. It is noticed when this time has passed.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // A notification usually leads to a claim. Without this time, the claim would find that the wait has just begun again and would have to
    // interrupt it, which costs an exception and a cancelled read.
    private static readonly TimeSpan TimeForClaim = TimeSpan.FromMilliseconds(1);

    // The driver returns after each notification. If each were followed by a pause, a process would hear fewer than a thousand a second,
    // and the server's queue of notifications would fill. So only one that comes alone is followed by a pause.
    private static readonly TimeSpan BetweenPauses = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _free = new(1, 1);
    private readonly Lock _gate = new();
    private NpgsqlConnection? _connection;
    private CancellationTokenSource? _wait;
    private int _takers;
    private bool _closesOnRelease;
    private volatile bool _isStale;

    /// <summary>Takes the connection, and interrupts the wait for notifications. The caller returns it with <see cref="Return"/>.</summary>
    /// <returns><see langword="null"/> if another statement kept it for so long.</returns>
    internal async ValueTask<NpgsqlConnection?> TryTakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!await EnterAsync(patience, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        try
        {
            return await EnsureOpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>Ends the use of the connection. If it broke, the next use opens another.</summary>
    internal void Return() => Release();

    /// <summary>Lets the next use open another connection. If the process listens, it does so on the new connection at once.</summary>
    internal void Replace()
    {
        CancellationTokenSource? wait;
        lock (_gate)
        {
            _isStale = true;
            wait = _wait;
        }

        wait?.Cancel();
    }

    /// <summary>Listens until it is cancelled, or the connection can't be opened.</summary>
    /// <param name="channel">The quoted name of the channel.</param>
    /// <param name="onNotification">Called with the text of each notification, possibly while a statement runs.</param>
    /// <param name="onListening">Called when a connection has begun to listen.</param>
    /// <param name="quiet">A connection that was cut raises no error while it only listens, so it is probed after so long.</param>
    /// <param name="cancellationToken">Ends listening.</param>
    internal async Task ListenAsync(
        string channel, Action<string> onNotification, Action onListening, TimeSpan quiet, CancellationToken cancellationToken)
    {
        NpgsqlConnection? listening = null;
        long? pausedAt = null;
        void Received(object sender, NpgsqlNotificationEventArgs notification) => onNotification(notification.Payload);
        try
        {
            while (true)
            {
                WaitEnd end;
                await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    var connection = await EnsureOpenAsync(cancellationToken).ConfigureAwait(false);
                    if (listening != connection)
                    {
                        if (listening is not null)
                        {
                            listening.Notification -= Received;
                        }

                        listening = connection;
                        connection.Notification += Received;
                        await ExecuteAsync(
                            connection, "set idle_session_timeout = 0; listen " + channel, quiet, cancellationToken).ConfigureAwait(false);
                        onListening();
                    }

                    end = await WaitAsync(connection, quiet, cancellationToken).ConfigureAwait(false);
                    if (end == WaitEnd.Quiet)
                    {
                        await ExecuteAsync(connection, "select 1", quiet, cancellationToken).ConfigureAwait(false);
                    }
                }
                finally
                {
                    Release();
                }

                if (end == WaitEnd.Notified && (pausedAt is not { } last || time.GetElapsedTime(last) >= BetweenPauses))
                {
                    await Task.Delay(TimeForClaim, time, cancellationToken).ConfigureAwait(false);
                    pausedAt = time.GetTimestamp();
                }
            }
        }
        finally
        {
            if (listening is not null)
            {
                listening.Notification -= Received;
                await StopListeningAsync(listening).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Closes the connection. If a statement still runs on it after a second, its caller closes the connection when it
    /// ends, because the driver's connections are not for two threads at once.</summary>
    public void Dispose()
    {
        if (!_free.Wait(StopTime))
        {
            lock (_gate)
            {
                if (!_free.Wait(0))
                {
                    _closesOnRelease = true;
                    return;
                }
            }
        }

        Close();
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string statement, TimeSpan limit, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(statement, connection) { CommandTimeout = (int)limit.TotalSeconds };
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    // The semaphore of a closed connection is neither released nor disposed of, so a late user finds the connection taken.
    private void Release()
    {
        lock (_gate)
        {
            if (!_closesOnRelease)
            {
                _free.Release();
                return;
            }
        }

        Close();
    }

    private void Close()
    {
        try
        {
            _connection?.Dispose();
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or IOException)
        {
            // The connection is broken, so nothing of it is left to close.
        }
    }

    private async ValueTask<bool> EnterAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_free.Wait(0, CancellationToken.None))
        {
            return true;
        }

        CancellationTokenSource? wait;
        lock (_gate)
        {
            _takers++;
            wait = _wait;
        }

        try
        {
            wait?.Cancel();
            return await _free.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _takers--;
            }
        }
    }

    private async ValueTask<NpgsqlConnection> EnsureOpenAsync(CancellationToken cancellationToken)
    {
        if (_connection is { } old && (_isStale || old.FullState != ConnectionState.Open))
        {
            (_connection, _isStale) = (null, false);
            await old.DisposeAsync().ConfigureAwait(false);
        }

        return _connection ??= await open(cancellationToken).ConfigureAwait(false);
    }

    // The driver keeps the connection if this wait is cancelled.
    private async ValueTask<WaitEnd> WaitAsync(NpgsqlConnection connection, TimeSpan quiet, CancellationToken cancellationToken)
    {
        var wait = new CancellationTokenSource();
        lock (_gate)
        {
            if (_takers > 0 || _isStale)
            {
                return WaitEnd.Interrupted;
            }

            _wait = wait;
        }

        try
        {
            using var _ = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), wait);
            for (var left = quiet; left > TimeSpan.Zero; left -= LongestWait)
            {
                wait.Token.ThrowIfCancellationRequested();
                if (await connection.WaitAsync(left < LongestWait ? left : LongestWait, wait.Token).ConfigureAwait(false))
                {
                    return WaitEnd.Notified;
                }
            }

            return WaitEnd.Quiet;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return WaitEnd.Interrupted;
        }
        finally
        {
            lock (_gate)
            {
                _wait = null;
            }
        }
    }

    private async Task StopListeningAsync(NpgsqlConnection connection)
    {
        if (!await EnterAsync(StopTime, CancellationToken.None).ConfigureAwait(false))
        {
            _isStale = true;
            return;
        }

        try
        {
            if (_connection == connection && connection.FullState == ConnectionState.Open)
            {
                await ExecuteAsync(connection, "unlisten *", StopTime, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // A session that still listened would be woken for nothing.
            _isStale = true;
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Why a wait for notifications ended.</summary>
    private enum WaitEnd
    {
        /// <summary>One has arrived.</summary>
        Notified,

        /// <summary>A statement needs the connection, or the connection is to be replaced.</summary>
        Interrupted,

        /// <summary>Nothing has arrived for long.</summary>
        Quiet,
    }
}
