using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Checks connection strings, and adds the settings that the library's own connections need.</summary>
internal static class ConnectionRules
{
    // A node's session, the listener and one statement.
    private const int LeastPoolSize = 3;

    // The engine makes at most so many claims at once, whatever the number of queues.
    private const int MostClaimsAtOnce = 4;

    // By its name, because the driver declares the property obsolete, and one of the connections has no data source to configure.
    private const string TypeLoading = "Server Compatibility Mode";

    // How long a connection stays unused in the pool. A new one costs the server several milliseconds, and the first claim on it many more.
    private const int IdleSeconds = 60;

    /// <summary>How long the driver may take to open a connection outside the pool, in seconds: a node waits for it.</summary>
    internal const int OpeningSeconds = 3;

    /// <summary>Rejects settings that cannot work, and names the remedy.</summary>
    internal static void Check(NpgsqlConnectionStringBuilder connection, bool isOwn)
        => Check(connection, isOwn, static name => AppContext.TryGetSwitch(name, out var isOn) && isOn);

    /// <inheritdoc cref="Check(NpgsqlConnectionStringBuilder, bool)"/>
    internal static void Check(NpgsqlConnectionStringBuilder connection, bool isOwn, Func<string, bool> isSwitchOn)
    {
        var where = isOwn ? "The connection string given to UsePostgreSql" : "The NpgsqlDataSource that the application registered";
        if (connection.Multiplexing)
        {
            throw new StoreConfigurationException(
                $"{where} has Multiplexing=true. The store needs sessions of its own for locks, transactions and prepared statements, "
                + $"which multiplexing mixes. Remove it, or give UsePostgreSql a connection string without it.");
        }

        if (!isOwn && connection is { Pooling: true, MaxPoolSize: < LeastPoolSize })
        {
            throw new StoreConfigurationException(
                $"{where} has Maximum Pool Size={connection.MaxPoolSize}. A node keeps two connections for life (its session and the "
                + $"listener), and needs more for its statements: use at least {LeastPoolSize}, better 20, or give UsePostgreSql a "
                + $"connection string: then the library has a pool of its own.");
        }

        if (isSwitchOn("Npgsql.DisableDateTimeInfinityConversions"))
        {
            throw new StoreConfigurationException(
                "The switch Npgsql.DisableDateTimeInfinityConversions is on in this process. The store sends and reads the times "
                + "-infinity and infinity, which the driver then refuses. Remove the switch (AppContext.SetSwitch, runtimeconfig.json "
                + "or the project file).");
        }
    }

    /// <summary>Completes the connection string of the library's own pool: settings that the user gave stay, missing ones get values that
    /// suit a queue.</summary>
    internal static NpgsqlConnectionStringBuilder Complete(string connectionString, string application, int commandTimeout)
    {
        var builder = Parse(connectionString) ?? throw new StoreConfigurationException(
            "The connection string given to UsePostgreSql can't be read: write 'Name=value' pairs that Npgsql knows, with ';' between "
            + "them, as in 'Host=localhost;Database=app;Username=app'. A value with ';' needs quotation marks.");
        Check(builder, isOwn: true);
        var given = builder.Keys.Cast<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        builder.ApplicationName = application;
        builder.Enlist = false;
        builder.CommandTimeout = commandTimeout; // for begin and commit, which have no time-out of their own

        // Only the library uses these sessions, and it leaves no state in them. A reset would cost one statement per use and undo the
        // session settings.
        builder.NoResetOnClose = true;
        if (!given.Contains("Maximum Pool Size"))
        {
            builder.MaxPoolSize = 20;
        }

        if (!given.Contains("Connection Idle Lifetime"))
        {
            builder.ConnectionIdleLifetime = Math.Max(IdleSeconds, builder.ConnectionPruningInterval);
        }

        if (!given.Contains("Timeout"))
        {
            builder.Timeout = 5;
        }

        if (!given.Contains("TCP Keepalive"))
        {
            builder.TcpKeepAlive = true;
            builder.TcpKeepAliveTime = 5;
            builder.TcpKeepAliveInterval = 1;
        }

        // A time-out breaks the connection. If the driver waited for the cancelled statement instead, a commit whose wait for a standby was
        // cancelled would be reported as a success (see CommitWatch).
        if (!given.Contains("Cancellation Timeout"))
        {
            builder.CancellationTimeout = -1;
        }

        // Each data source would read the server's catalog of types with its first connection. Only built-in types are sent and read here.
        if (!given.Contains(TypeLoading))
        {
            builder[TypeLoading] = nameof(ServerCompatibilityMode.NoTypeLoading);
        }

        if (HasSeveralHosts(builder))
        {
            // The driver's default is ten seconds, during which a promoted standby would still be treated as a standby.
            if (!given.Contains("Host Recheck Seconds"))
            {
                builder.HostRecheckSeconds = 1;
            }

            if (!given.Contains("Target Session Attributes"))
            {
                builder.TargetSessionAttributes = "primary";
            }
        }

        return builder;
    }

    /// <summary>How many connections of the pool statements use at once, unless one keeps its connection for long: one for each queue whose
    /// claims are made at the same time, and two more.</summary>
    internal static int Places(int queues) => 2 + Math.Clamp(queues, 1, MostClaimsAtOnce);

    /// <summary>Settings of the connection that a process keeps for its statements.</summary>
    internal static NpgsqlConnectionStringBuilder ForHome(NpgsqlConnectionStringBuilder pooled) => new(pooled.ConnectionString)
    {
        Pooling = false,
    };

    /// <summary>Settings of long-lived sessions outside the pool.</summary>
    /// <param name="pooled">The settings of the pool.</param>
    /// <param name="openingSeconds">How long the driver may take to open one.</param>
    internal static NpgsqlConnectionStringBuilder ForSessions(NpgsqlConnectionStringBuilder pooled, int openingSeconds = OpeningSeconds)
        => new(pooled.ConnectionString)
        {
            Pooling = false,

            // A node must notice within its lease that its session is lost: do not wait for a server that does not answer.
            CancellationTimeout = -1,
            Timeout = pooled.Timeout == 0 ? openingSeconds : Math.Min(pooled.Timeout, openingSeconds), // 0 would mean no limit
            CommandTimeout = PostgreSqlNodeSession.TimeoutSeconds,

            // Try every host on each attempt. If a host were skipped because it was down a moment ago, the rejections of the other hosts
            // would be mistaken for a rejection by all of them.
            HostRecheckSeconds = HasSeveralHosts(pooled) ? 0 : pooled.HostRecheckSeconds,
        };

    /// <summary>Whether Npgsql understands a text as a connection string with a host.</summary>
    internal static bool IsConnectionString(string text) => !string.IsNullOrWhiteSpace(Parse(text)?.Host);

    // The message of the parser may contain a part of the connection string, and so of the password.
    private static NpgsqlConnectionStringBuilder? Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            return null;
        }
    }

    /// <summary>Settings of a connection string that only the read model uses: of several hosts, it prefers a standby.</summary>
    internal static NpgsqlConnectionStringBuilder ForMonitor(string connectionString, string application, int commandTimeout)
    {
        var given = new NpgsqlConnectionStringBuilder(connectionString);
        if (HasSeveralHosts(given) && !given.ContainsKey("Target Session Attributes"))
        {
            given.TargetSessionAttributes = "prefer-standby";
        }

        return ForMonitor(Complete(given.ConnectionString, application, commandTimeout));
    }

    /// <summary>Settings of the read model's own small pool.</summary>
    internal static NpgsqlConnectionStringBuilder ForMonitor(NpgsqlConnectionStringBuilder pooled) => new(pooled.ConnectionString)
    {
        MinPoolSize = 0,
        MaxPoolSize = 2,
    };

    /// <summary>Whether the connection string names more than one host.</summary>
    internal static bool HasSeveralHosts(NpgsqlConnectionStringBuilder connection)
        => connection.Host?.Contains(',', StringComparison.Ordinal) == true;

    /// <summary>Whether each host name resolves to a single machine. If it does not, the driver tries the addresses of the name one after
    /// the other and reports only the last error.</summary>
    internal static bool NamesHaveOneAddress(string connectionString)
        => (new NpgsqlConnectionStringBuilder(connectionString).Host ?? "").Split(',').All(static host => HasOneAddress(host.Trim()));

    private static bool HasOneAddress(string host)
    {
        var name = host.LastIndexOf(':') is var colon and > 0
            && host.IndexOf(':', StringComparison.Ordinal) == colon ? host[..colon] : host;
        if (name.Length == 0 || name[0] is '/' or '@' or '[' || IPAddress.TryParse(name, out _))
        {
            return true;
        }

        try
        {
            // One address of each family (IPv4, IPv6) is one machine with two addresses.
            return Dns.GetHostAddresses(name).Where(static address => !IPAddress.IsLoopback(address)).CountBy(
                static address => address.AddressFamily).All(static family => family.Value == 1);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
