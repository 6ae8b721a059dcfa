using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>A connection for one call.</summary>
/// <param name="Database">Where it is returned when disposed.</param>
/// <param name="Connection">The connection.</param>
/// <param name="Origin">Where it is from.</param>
internal readonly record struct BorrowedConnection(PostgreSqlDatabase Database, NpgsqlConnection Connection, ConnectionOrigin Origin)
    : IAsyncDisposable
{
    /// <summary>When it was borrowed.</summary>
    internal long Since { get; } = TimeProvider.System.GetTimestamp();

    public ValueTask DisposeAsync() => Database.ReturnAsync(this);
}

/// <summary>Where a connection is from.</summary>
internal enum ConnectionOrigin
{
    /// <summary>The data source of the application.</summary>
    Application,

    /// <summary>The process's <see cref="HomeConnection"/>.</summary>
    Home,

    /// <summary>The library's own pool, as one of the connections that it usually has at most.</summary>
    Pool,

    /// <summary>The library's own pool, because all of those were in use for long.</summary>
    Beyond,

    /// <summary>The library's own pool, for a call that will probably wait for a lock.</summary>
    Apart,
}
