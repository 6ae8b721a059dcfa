namespace TaskRecovery.PostgreSql;

/// <summary>The settings that the store's statements need, independent of the defaults of the server, the role and the database.</summary>
/// <remarks>They are set by statements and not by the start-up parameter <c>options</c>, because a pooler may reject that parameter or
/// silently drop it.</remarks>
internal static class SessionSettings
{
    /// <summary>Functions and operators are resolved only in the server's catalog: otherwise a role that may create functions in a schema
    /// on the path could replace them with its own.</summary>
    internal const string SearchPath = "pg_catalog, pg_temp";

    // A claim has to use its index regardless of the statistics at planning time: they are collected while the tables are empty, and
    // outdated plans ran four to fourteen times slower. A disabled scan has a very high estimated cost, which would start the just-in-time
    // compiler, so that is off too. Planning again for the length of each array costs more than a small statement itself, and no plan here
    // should depend on it.
    private static readonly (string Name, string Value)[] Plans =
        [("enable_seqscan", "off"), ("jit", "off"), ("plan_cache_mode", "force_generic_plan")];

    private static readonly (string Name, string Value) PinnedPath = ("search_path", SearchPath);

    // CommitWatch finds an unconfirmed commit by a warning, which the server does not send to a session that asks for errors only.
    private static readonly (string Name, string Value) Warnings = ("client_min_messages", "warning");

    // When the server confirms a commit, the work has to be stored.
    private static readonly (string Name, string Value)[] Required = [PinnedPath, ("synchronous_commit", "on"), Warnings];

    private static readonly (string Name, string Value)[] InMemory = [("synchronous_commit", "off"), PinnedPath];

    /// <summary>Sets what a statement needs for its own transaction, in sessions that are not the library's own.</summary>
    internal static readonly string Prelude = Set([.. Required, .. Plans], local: true);

    /// <summary>As <see cref="Prelude"/>, for sessions that may be the application's: if a client has stopped, the server ends its
    /// transaction before the client's lease expires.</summary>
    internal static string PreludeFor(TimeSpan lease) => PreludeFor(lease, Required);

    /// <summary>As <see cref="Prelude"/>, for a statement that may be lost: its commit does not wait for the disk.</summary>
    internal static readonly string PreludeInMemory = Set(InMemory, local: true);

    /// <summary>As <see cref="PreludeFor(TimeSpan)"/>, for a statement that may be lost: its commit does not wait for the disk.</summary>
    internal static string PreludeInMemoryFor(TimeSpan lease) => PreludeFor(lease, InMemory);

    /// <summary>Pins the search path for a transaction.</summary>
    internal static readonly string PinInTransaction = Set([PinnedPath], local: true);

    /// <summary>As <see cref="PinInTransaction"/>, for sessions that may be the application's: if a client has stopped, the server ends its
    /// transaction before the client's lease expires.</summary>
    internal static string PinInTransactionFor(TimeSpan lease) => Set([PinnedPath, .. Limits(lease)], local: true);

    /// <summary>Pins the search path of a long-lived session from the application's data source. <see cref="Unpin"/> resets it.</summary>
    internal static readonly string Pin = Set([("search_path", SearchPath)], local: false);

    /// <summary>Reverts <see cref="Pin"/>.</summary>
    internal const string Unpin = "reset search_path";

    /// <summary>Sets everything for a session of the library's own.</summary>
    /// <param name="lease">The lease of a node. A client that has stopped keeps its rows locked, so the server has to end its session
    /// before the lease expires.</param>
    /// <param name="options">The user's start-up options. Settings named there are kept, except the search path, the isolation level and
    /// the level of messages, which the store depends on.</param>
    internal static string ForOwnSession(TimeSpan lease, string? options)
    {
        var limit = ReleaseAfter(lease);
        (string Name, string Value)[] optional =
        [
            ("synchronous_commit", "on"), .. Plans, ("tcp_user_timeout", limit), ("idle_in_transaction_session_timeout", limit),
            ("tcp_keepalives_idle", "3"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3"),
            ("idle_session_timeout", "0"),
        ];

        // A statement that waited for a lock must see what was committed in the meantime. Statements outside an explicit transaction use
        // the default isolation level of the session, which a role or a database may have changed.
        return Set(
            [
                ("search_path", SearchPath), ("default_transaction_isolation", "read committed"), Warnings,
                .. optional.Where(setting => options?.Contains(setting.Name + "=", StringComparison.Ordinal) != true),
            ],
            local: false);
    }

    private static string PreludeFor(TimeSpan lease, (string Name, string Value)[] first)
        => Set([.. first, .. Plans, .. Limits(lease)], local: true);

    private static (string Name, string Value)[] Limits(TimeSpan lease)
        => [("tcp_user_timeout", ReleaseAfter(lease)), ("idle_in_transaction_session_timeout", ReleaseAfter(lease))];

    private static string ReleaseAfter(TimeSpan lease)
        => ((int)(lease.TotalMilliseconds * 2 / 3)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    // Function names include their schema, because the search path is not pinned yet.
    private static string Set((string Name, string Value)[] settings, bool local)
        => "select " + string.Join(
            ", ", settings.Select(setting => $"pg_catalog.set_config('{setting.Name}', '{setting.Value}', {(local ? "true" : "false")})"));
}
