using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Connections.</content>
internal sealed partial class PostgreSqlDatabase
{
    private static readonly TimeSpan ReplacePause = TimeSpan.FromSeconds(1);

    private volatile HomeConnection? _theirListener;
    private long _replacedAt;

    /// <summary>Opens a long-lived connection for a node's session. It is outside the pool if the library has its own connection
    /// string.</summary>
    internal NpgsqlConnection OpenSession()
    {
        var source = _sessions ?? DataSource;
        var connection = LimitedOpening.Open(source, LimitedOpening.LimitOf(source.ConnectionString));
        if (_sessions is not null)
        {
            return connection;
        }

        try
        {
            if (KeepsSessions)
            {
                using var command = new NpgsqlCommand(SessionSettings.Pin, connection);
                command.ExecuteNonQuery();
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Listens on a channel until cancelled or until the connection is lost: on the connection that the process keeps, or one of
    /// the application's data source. The search path of the latter is not pinned, because its statements call no function.</summary>
    internal async Task ListenAsync(
        string channel, Action<string> onNotification, Action onListening, TimeSpan quiet, CancellationToken cancellationToken)
    {
        try
        {
            if (_home is not null)
            {
                await _home.ListenAsync(channel, onNotification, onListening, quiet, cancellationToken).ConfigureAwait(false);
                return;
            }

            using var theirs = new HomeConnection(OpenTheirsAsync, TimeProvider.System);
            _theirListener = theirs;
            await theirs.ListenAsync(channel, onNotification, onListening, quiet, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
        {
            ReplaceIfReadOnly(exception);
            throw;
        }
    }

    /// <summary>Replaces the open connections if an error shows that they reach a server that takes no writes. After a failover, the
    /// address of the server may lead to another one, but open connections stay where they are, and never break.</summary>
    /// <remarks>The pool of the application is cleared too: all statements of the library that get such a connection would fail, those of
    /// the application as well, and clearing closes only unused connections; those in use are closed when they are returned. With several
    /// hosts it is not, because the driver finds the primary itself, and the pools of the other hosts may serve reads of the
    /// application.</remarks>
    internal void ReplaceIfReadOnly(Exception exception)
    {
        if (!PostgreSqlErrors.IsReadOnly(exception))
        {
            return;
        }

        // While there is no other server, each call would open a connection otherwise.
        var (now, last) = (TimeProvider.System.GetTimestamp(), Volatile.Read(ref _replacedAt));
        if ((last != 0 && TimeProvider.System.GetElapsedTime(last, now) < ReplacePause)
            || Interlocked.CompareExchange(ref _replacedAt, now, last) != last)
        {
            return;
        }

        if (_sessions is not null || !_hasSeveralHosts)
        {
            DataSource.Clear();
        }

        if (!MonitorMayLag)
        {
            _monitor?.Clear();
        }

        // Last: a listener that opens again must not get its old connection back from the pool.
        (_home ?? _theirListener)?.Replace();
    }

    /// <summary>Opens a connection as the application or the connection string configures it: no session setting is changed.</summary>
    internal async ValueTask<NpgsqlConnection> OpenUntouchedAsync(CancellationToken cancellationToken)
    {
        if (_sessions is null)
        {
            using var outside = OutsideOfAmbientTransaction();
            return await DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        return await OpenPatientlyAsync(OpenUntouchedOnceAsync, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<NpgsqlConnection> OpenUntouchedOnceAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_untouched);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens a connection for the read model: from a pool of its own, so that reads never take a connection from the
    /// queue.</summary>
    internal async ValueTask<NpgsqlConnection> OpenMonitorAsync(CancellationToken cancellationToken)
    {
        using var outside = OutsideOfAmbientTransaction();
        return await OpenAliveAsync(_monitor ?? DataSource, isOnMonitor: MonitorMayLag, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="OpenMonitorAsync"/>, but never on a standby, which may not have what was stored a moment ago.</summary>
    internal async ValueTask<NpgsqlConnection> OpenCurrentMonitorAsync(CancellationToken cancellationToken)
    {
        using var outside = OutsideOfAmbientTransaction();
        return await OpenAliveAsync((MonitorMayLag ? null : _monitor) ?? DataSource, isOnMonitor: false, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Runs work that opens its own connections, and translates the driver's errors to those of the engine.</summary>
    internal async ValueTask<T> TranslateAsync<T>(
        Func<PostgreSqlDatabase, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work(this, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, SchemaName) is not null)
        {
            ReplaceIfReadOnly(exception);
            throw PostgreSqlErrors.Translate(exception, SchemaName)!;
        }
        catch (Exception exception) when (IsErrorOfClosing(exception))
        {
            throw ClosedError(exception);
        }
    }

    /// <summary>Whether an error proves that the server rejects all connections.</summary>
    /// <remarks>The application's data source skips hosts that it recently found down, so its error may not be about all hosts. For a name
    /// with several addresses, the driver reports only the last one. If no host is suitable, all that answered are standbys: the driver has
    /// no error code for that, so it proves nothing.</remarks>
    internal bool IsServerRejectingAll(Exception exception)
        => PostgreSqlErrors.IsServerRejectingAll(exception) && !(_sessions is null && _hasSeveralHosts)
            && ConnectionRules.NamesHaveOneAddress(DataSource.ConnectionString);

    /// <inheritdoc/>
    public void Dispose()
    {
        _isClosed = true;
        _monitor?.Dispose();
        _home?.Dispose();
        _homes?.Dispose();
        if (_sessions is not null)
        {
            _sessions.Dispose();
            DataSource.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        if (_monitor is not null)
        {
            await _monitor.DisposeAsync().ConfigureAwait(false);
        }

        _home?.Dispose();
        if (_homes is not null)
        {
            await _homes.DisposeAsync().ConfigureAwait(false);
        }

        if (_sessions is not null)
        {
            await _sessions.DisposeAsync().ConfigureAwait(false);
            await DataSource.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<NpgsqlConnection> OpenTheirsAsync(CancellationToken cancellationToken)
    {
        using var outside = OutsideOfAmbientTransaction();
        return await DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string? NameOf(NpgsqlDataSource source) => new NpgsqlConnectionStringBuilder(source.ConnectionString).Database;

    private void BuildSessions(NpgsqlConnectionStringBuilder pooled)
    {
        var kept = ConnectionRules.ForSessions(pooled, OpeningSeconds);
        _untouched = kept.ConnectionString;
        _sessions = Build(kept, _settings);
    }

    private static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder connection, string? settings)
    {
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString);
        if (settings is not null)
        {
            builder.UsePhysicalConnectionInitializer(
                session =>
                {
                    using var command = new NpgsqlCommand(settings, session);
                    command.ExecuteNonQuery();
                },
                async session =>
                {
                    var command = new NpgsqlCommand(settings, session);
                    await using var _ = command.ConfigureAwait(false);
                    await command.ExecuteNonQueryAsync().ConfigureAwait(false);
                });
        }

        return builder.Build();
    }
}
