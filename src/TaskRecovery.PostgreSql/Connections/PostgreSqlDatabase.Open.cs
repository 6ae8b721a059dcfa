using System.Collections.Concurrent;
using System.Globalization;
using System.Transactions;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <content>Lends connections, outside any ambient transaction, and checks that they are alive before they are used.</content>
internal sealed partial class PostgreSqlDatabase
{
    private const int AskSeconds = 5;
    private const int ManySessions = 10_000;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan PatienceForServer = TimeSpan.FromSeconds(5);

    private readonly StatementPressure _pressure = new(TimeProvider.System);
    private readonly SemaphoreSlim _places;
    private int _openingSeconds = ConnectionRules.OpeningSeconds;

    // When a session was used last, by its process id on its server. The read model may have a server of its own.
    private readonly ConcurrentDictionary<(bool IsOnMonitor, int ProcessId), long> _usedAt = new();

    /// <summary>How long a statement waits for a place in the pool before it uses a connection beyond it; settable for tests.</summary>
    /// <remarks>A statement may have to wait long, for example for a row of a transaction of the application. Statements that such a one
    /// does not concern then use more connections of the pool.</remarks>
    internal TimeSpan PatienceForPool { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the driver may take to open a connection outside the pool, in seconds; settable for tests, before one is
    /// opened.</summary>
    internal int OpeningSeconds
    {
        get => _openingSeconds;
        set
        {
            _openingSeconds = value;
            if (_pooled is not null)
            {
                _sessions?.Dispose();
                BuildSessions(_pooled);
            }
        }
    }

    /// <summary>How long a session may be unused before it is probed. Servers, administrators, poolers and firewalls end sessions that are
    /// idle; one round trip costs less than an enqueue that may or may not be stored.</summary>
    internal TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a statement waits for the connection that the process keeps before it uses one of the pool, if statements are as
    /// short as usual. Longer than most statements of an idle process take; settable for tests.</summary>
    internal TimeSpan PatienceForHome { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long work that serves many entries at once, such as a batch of outcomes or a sweep, waits for a row that another
    /// transaction has locked; settable for tests.</summary>
    internal TimeSpan PatienceForLocks { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Limits how long the later statements of its transaction wait for a row, to <see cref="PatienceForLocks"/>.</summary>
    internal Statement LimitLocks
        => new(StartSql.LimitLocks, Arg.Text(string.Create(CultureInfo.InvariantCulture, $"{PatienceForLocks.TotalMilliseconds:0}ms")));

    /// <summary>Sends <see cref="LimitLocks"/> in the transaction that is open on a connection.</summary>
    internal async ValueTask LimitLocksAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var limit = LimitLocks;
        await ExecuteAsync(connection, limit.Text, limit.Args, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The <see cref="SessionSeconds"/> of all databases of the process; only tests set it, where a program opens its own
    /// database.</summary>
    internal static int SessionSecondsByDefault { get; set; } = PostgreSqlNodeSession.TimeoutSeconds;

    /// <summary>The <see cref="LongestRead"/> of all databases of the process; only tests set it, where a program opens its own
    /// database.</summary>
    internal static TimeSpan? LongestReadByDefault { get; set; }

    /// <summary>How long a statement of a node's session may take, in seconds; settable for tests.</summary>
    internal int SessionSeconds { get; set; } = SessionSecondsByDefault;

    /// <summary>Replaces the time limits of the read model; only tests set it.</summary>
    internal TimeSpan? LongestRead { get; set; } = LongestReadByDefault;

    // The application's data source would enlist the connection in the caller's TransactionScope. If the scope rolled back, entries that
    // the library reported as stored would be lost.
    private static TransactionScope? OutsideOfAmbientTransaction()
        => Transaction.Current is null ? null
            : new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

    /// <summary>Borrows a connection for one call: the one that the process keeps, while its statements seldom overlap, else one of the
    /// pool. A call that is apart does not count among them, because it would make all others wait longer for a connection.</summary>
    private async ValueTask<BorrowedConnection> BorrowAsync(bool isApart, CancellationToken cancellationToken)
    {
        using var outside = OutsideOfAmbientTransaction();
        if (_home is null)
        {
            return new(this, await OpenPooledAsync(cancellationToken).ConfigureAwait(false), ConnectionOrigin.Application);
        }

        if (isApart && await TryOpenApartAsync(cancellationToken).ConfigureAwait(false) is { } apart)
        {
            return new(this, apart, ConnectionOrigin.Apart);
        }

        var isBusy = _pressure.Begin();
        try
        {
            return !isBusy && await TakeHomeAsync(cancellationToken).ConfigureAwait(false) is { } home
                ? new(this, home, ConnectionOrigin.Home)
                : await BorrowPooledAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _pressure.End(took: null);
            throw;
        }
    }

    // Returns null if the server has no connection left: then even such a call has to use one that others wait for.
    private async ValueTask<NpgsqlConnection?> TryOpenApartAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await OpenPooledAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (IsServerFull(exception, TimeProvider.System.GetTimestamp()))
        {
            return null;
        }
    }

    private async ValueTask<BorrowedConnection> BorrowPooledAsync(CancellationToken cancellationToken)
    {
        var origin = await _places.WaitAsync(PatienceForPool, cancellationToken).ConfigureAwait(false)
            ? ConnectionOrigin.Pool : ConnectionOrigin.Beyond;
        var hasPlace = origin == ConnectionOrigin.Pool;
        NpgsqlConnection? home = null;
        try
        {
            for (var began = TimeProvider.System.GetTimestamp(); home is null;)
            {
                try
                {
                    var connection = await OpenPooledAsync(cancellationToken).ConfigureAwait(false);
                    hasPlace = false;
                    return new(this, connection, origin);
                }
                catch (PostgresException exception) when (IsServerFull(exception, began))
                {
                    home = await TakeHomeAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            if (hasPlace)
            {
                _places.Release();
            }
        }

        return new(this, home, ConnectionOrigin.Home);
    }

    /// <summary>Ends the use of a connection.</summary>
    internal async ValueTask ReturnAsync(BorrowedConnection borrowed)
    {
        try
        {
            if (borrowed.Origin == ConnectionOrigin.Home)
            {
                _home!.Return();
            }
            else
            {
                await borrowed.Connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            if (borrowed.Origin == ConnectionOrigin.Pool)
            {
                _places.Release();
            }

            if (borrowed.Origin is not (ConnectionOrigin.Application or ConnectionOrigin.Apart))
            {
                _pressure.End(TimeProvider.System.GetElapsedTime(borrowed.Since));
            }
        }
    }

    // While the server has no connection left, wait for one: those that are unused go soon.
    private static async ValueTask<NpgsqlConnection> OpenPatientlyAsync(
        Func<CancellationToken, ValueTask<NpgsqlConnection>> open, CancellationToken cancellationToken)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                return await open(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exception) when (IsServerFull(exception, began))
            {
                await Task.Delay(BetweenAttempts, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool IsServerFull(PostgresException exception, long began)
        => string.Equals(exception.SqlState, PostgresErrorCodes.TooManyConnections, StringComparison.Ordinal)
            && TimeProvider.System.GetElapsedTime(began) < PatienceForServer;

    // Returns null if another statement keeps it.
    private ValueTask<NpgsqlConnection?> TakeHomeAsync(CancellationToken cancellationToken)
        => OpenAliveAsync(
            token => _home!.TryTakeAsync(_pressure.Patience(PatienceForHome), token),
            _ =>
            {
                _home!.Return();
                return ValueTask.CompletedTask;
            },
            isOnMonitor: false,
            cancellationToken);

    private ValueTask<NpgsqlConnection> OpenPooledAsync(CancellationToken cancellationToken)
        => OpenAliveAsync(DataSource, isOnMonitor: false, cancellationToken);

    private async ValueTask<NpgsqlConnection> OpenAliveAsync(
        NpgsqlDataSource source, bool isOnMonitor, CancellationToken cancellationToken)
        => (await OpenAliveAsync(
            async token => await source.OpenConnectionAsync(token).ConfigureAwait(false),
            static connection => connection.DisposeAsync(),
            isOnMonitor,
            cancellationToken).ConfigureAwait(false))!;

    // Returns null if open does.
    private async ValueTask<NpgsqlConnection?> OpenAliveAsync(
        Func<CancellationToken, ValueTask<NpgsqlConnection?>> open, Func<NpgsqlConnection, ValueTask> giveBack, bool isOnMonitor,
        CancellationToken cancellationToken)
    {
        for (var lateAnswers = 0; ;)
        {
            if (await open(cancellationToken).ConfigureAwait(false) is not { } connection)
            {
                return null;
            }

            try
            {
                var session = (isOnMonitor, connection.ProcessID);
                if (WasSilent(session))
                {
                    var command = new NpgsqlCommand("select 1", connection) { CommandTimeout = Math.Min(AskSeconds, CommandTimeout) };
                    await using var _ = command.ConfigureAwait(false);
                    await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }

                Use(session);
                return connection;
            }
            catch (NpgsqlException exception) when (connection.FullState != System.Data.ConnectionState.Open
                && (!PostgreSqlErrors.IsTimeout(exception) || lateAnswers++ == 0))
            {
                // The connection was found dead before anything was sent: use the next one of the pool, or a new one.
                await giveBack(connection).ConfigureAwait(false);
            }
            catch
            {
                await giveBack(connection).ConfigureAwait(false);
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

    private bool WasSilent((bool IsOnMonitor, int ProcessId) session)
        => _usedAt.TryGetValue(session, out var usedAt) && TimeProvider.System.GetElapsedTime(usedAt) > Silence;

    private void Use((bool IsOnMonitor, int ProcessId) session)
    {
        // Sessions that have ended stay in the map. Clearing it costs nothing but a skipped probe.
        if (_usedAt.Count > ManySessions)
        {
            _usedAt.Clear();
        }

        _usedAt[session] = TimeProvider.System.GetTimestamp();
    }
}
