namespace TaskRecovery.PostgreSql;

/// <summary>The settings that the store's statements need, whatever the defaults of the server, the role or the database are.</summary>
/// <remarks>They are set by statements, not by the start-up parameter <c>options</c>: a pooler may refuse that parameter, or drop it
/// without a word.</remarks>
internal static class SessionSettings
{
    /// <summary>Functions and operators come from the server's catalog alone: a role that may create functions in a schema on the path
    /// could otherwise put its own in their place.</summary>
    internal const string SearchPath = "pg_catalog, pg_temp";

    // A claim has to walk its index whatever the statistics said when the statement was planned: they are taken while the tables
    // are empty, and stale plans ran four to fourteen times slower. Scans that are ruled out count as endlessly dear, which would
    // start the just-in-time compiler. Planning anew for each array's length costs more than a small statement itself, and no plan
    // here should depend on it.
    private static readonly (string Name, string Value)[] Plans =
        [("enable_seqscan", "off"), ("jit", "off"), ("plan_cache_mode", "force_generic_plan")];

    // Work is stored when the server says so.
    private static readonly (string Name, string Value)[] Required = [("search_path", SearchPath), ("synchronous_commit", "on")];

    /// <summary>Sets what a statement needs for its own transaction, on sessions that are not the library's own.</summary>
    internal static readonly string Prelude = Set([.. Required, .. Plans], local: true);

    /// <summary>The same, for sessions that may be the application's: the server lets go of a client that has stopped before its lease is
    /// over, for as long as the transaction lasts.</summary>
    internal static string PreludeFor(TimeSpan lease)
        => Set([.. Required, .. Plans, ("tcp_user_timeout", ReleaseAfter(lease)), ("idle_in_transaction_session_timeout", ReleaseAfter(lease))], local: true);

    /// <summary>The same where the loss of the statement does not matter: it does not wait for the disk.</summary>
    internal static readonly string PreludeInMemory = Set([("synchronous_commit", "off"), ("search_path", SearchPath)], local: true);

    /// <summary>Pins the path for a transaction.</summary>
    internal static readonly string PinInTransaction = Set([("search_path", SearchPath)], local: true);

    /// <summary>Pins the path of a session that the application's data source gives away for long. <see cref="Unpin"/> takes it
    /// back.</summary>
    internal static readonly string Pin = Set([("search_path", SearchPath)], local: false);

    /// <summary>See <see cref="Pin"/>.</summary>
    internal const string Unpin = "reset search_path";

    /// <summary>Sets everything for a session of the library's own.</summary>
    /// <param name="lease">A client that has stopped holds its rows locked and unseen, so the server has to let go of it before its lease
    /// is over.</param>
    /// <param name="options">The user's start-up options: what they name stays as it is, but for the path and the isolation level, which
    /// are no matter of taste.</param>
    internal static string ForOwnSession(TimeSpan lease, string? options)
    {
        var limit = ReleaseAfter(lease);
        (string Name, string Value)[] optional =
        [
            ("synchronous_commit", "on"), .. Plans, ("tcp_user_timeout", limit), ("idle_in_transaction_session_timeout", limit),
            ("tcp_keepalives_idle", "3"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3"),
            ("idle_session_timeout", "0"),
        ];

        // A statement that waited for a lock has to see what was committed meanwhile. Transactions that nobody begins take the session's
        // default, which a role or a database may have changed.
        return Set(
            [
                ("search_path", SearchPath), ("default_transaction_isolation", "read committed"),
                .. optional.Where(setting => options?.Contains(setting.Name + "=", StringComparison.Ordinal) != true),
            ],
            local: false);
    }

    private static string ReleaseAfter(TimeSpan lease)
        => ((int)(lease.TotalMilliseconds * 2 / 3)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    // Names of functions with their schema: the path is not pinned yet.
    private static string Set((string Name, string Value)[] settings, bool local)
        => "select " + string.Join(", ", settings.Select(setting => $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', {(local ? "true" : "false")})"));
}
