using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>What a connection string must not say, and what the library adds to its own.</summary>
internal static class ConnectionRules
{
    // A node's session, the listener and a statement.
    private const int LeastPoolSize = 3;

    /// <summary>Refuses what can't work, with the remedy.</summary>
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

    /// <summary>The library's own pool: what the user set stays, what was not set gets what a queue needs.</summary>
    internal static NpgsqlConnectionStringBuilder Complete(string connectionString, string application, int commandTimeout)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException exception)
        {
            throw new StoreConfigurationException($"The connection string given to UsePostgreSql can't be read: {exception.Message}", exception);
        }

        Check(builder, isOwn: true);
        var given = builder.Keys.Cast<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        builder.ApplicationName = application;
        builder.Enlist = false;
        builder.CommandTimeout = commandTimeout; // for begin and commit, which have no time-out of their own

        // The sessions are the library's alone and nothing is left behind in them. A reset would cost a statement each time, and take
        // their settings back.
        builder.NoResetOnClose = true;
        if (!given.Contains("Maximum Pool Size"))
        {
            builder.MaxPoolSize = 20;
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

        // A time-out breaks the connection. If the driver waited for the cancelled statement instead, a commit whose wait for a standby
        // was cancelled would come back as a success (CommitWatch).
        if (!given.Contains("Cancellation Timeout"))
        {
            builder.CancellationTimeout = -1;
        }

        if (HasSeveralHosts(builder))
        {
            // Ten seconds by default: so long a promoted standby would still be taken for one.
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

    /// <summary>For sessions that are kept, outside the pool.</summary>
    internal static NpgsqlConnectionStringBuilder ForSessions(NpgsqlConnectionStringBuilder pooled) => new(pooled.ConnectionString)
    {
        Pooling = false,

        // A node has to know within its deadline that its session is over: no wait for a server that does not answer.
        CancellationTimeout = -1,
        Timeout = Math.Min(pooled.Timeout, 3),
        CommandTimeout = PostgreSqlNodeSession.TimeoutSeconds,

        // Each attempt asks every host. A host that was skipped because it was down a moment ago would prove nothing, and the answer of
        // the others would be taken for that of all.
        HostRecheckSeconds = HasSeveralHosts(pooled) ? 0 : pooled.HostRecheckSeconds,
    };

    /// <summary>Whether the string names more than one server.</summary>
    internal static bool HasSeveralHosts(NpgsqlConnectionStringBuilder connection) => connection.Host?.Contains(',', StringComparison.Ordinal) == true;

    /// <summary>Whether each host is one machine: the driver tries the addresses of a name one after the other, and reports only the
    /// last.</summary>
    internal static bool NamesHaveOneAddress(string connectionString)
        => (new NpgsqlConnectionStringBuilder(connectionString).Host ?? "").Split(',').All(static host => HasOneAddress(host.Trim()));

    private static bool HasOneAddress(string host)
    {
        var name = host.LastIndexOf(':') is var colon and > 0 && host.IndexOf(':', StringComparison.Ordinal) == colon ? host[..colon] : host;
        if (name.Length == 0 || name[0] is '/' or '@' or '[' || IPAddress.TryParse(name, out _))
        {
            return true;
        }

        try
        {
            // One of each family is one machine with two addresses.
            return Dns.GetHostAddresses(name).Where(static address => !IPAddress.IsLoopback(address)).CountBy(static address => address.AddressFamily).All(static family => family.Value == 1);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
