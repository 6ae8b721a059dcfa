using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>PgBouncer in front of a server, on a free loopback port. It ends together with this process.</summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private static readonly string[] Places =
        ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];

    private const int Attempts = 3;

    private readonly string _folder;
    private readonly Process _babysitter;

    private PgBouncer(string folder, Process babysitter, string connectionString)
        => (_folder, _babysitter, ConnectionString) = (folder, babysitter, connectionString);

    /// <summary>Whether PgBouncer is installed on this machine.</summary>
    public static bool IsInstalled => Places.Any(File.Exists);

    /// <summary>The connection string that connects through PgBouncer.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts PgBouncer.</summary>
    /// <param name="server">The connection string of the server behind it.</param>
    /// <param name="mode"><c>session</c>, <c>transaction</c> or <c>statement</c>.</param>
    /// <param name="poolSize">The number of server connections that its clients share.</param>
    /// <param name="settings">More lines for its configuration file.</param>
    /// <param name="alias">A second name of the database.</param>
    public static async Task<PgBouncer> StartAsync(
        string server, string mode, int poolSize = 20, string settings = "", string? alias = null)
    {
        var program = Places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                "These tests need PgBouncer and found none. Debian, Ubuntu: apt-get install pgbouncer. macOS: brew install pgbouncer. "
                + "No service has to run.");
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOnceAsync(program, server, mode, poolSize, settings, alias);
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                // Another process may have taken the port since.
            }
        }
    }

    private static async Task<PgBouncer> StartOnceAsync(
        string program, string server, string mode, int poolSize, string settings, string? alias)
    {
        var folder = Directory.CreateTempSubdirectory("taskrecovery-pgbouncer-").FullName;
        await UnprivilegedUser.GiveAsync(folder);
        var target = new NpgsqlConnectionStringBuilder(server);
        var port = LoopbackPort.FindFree();
        var place = $"host={target.Host} port={target.Port} user={target.Username} password={target.Password}";
        var configuration = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(configuration, $"""
            [databases]
            * = {place}
            {(alias is null ? string.Empty : $"{alias} = {place} dbname={target.Database}")}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {mode}
            default_pool_size = {poolSize}
            max_client_conn = 500
            logfile = {Path.Combine(folder, "log")}
            {settings}
            """);
        await UnprivilegedUser.GiveAsync(configuration);
        const string script = """
            trap '' INT TERM HUP
            folder=$1; shift
            "$@" >/dev/null 2>&1 </dev/null &
            while read -r _; do :; done
            kill -9 $!
            rm -rf "$folder"
            """;
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", script, "sh", folder, .. UnprivilegedUser.Prefix(), program, "-q", configuration])
        {
            start.ArgumentList.Add(argument);
        }

        var babysitter = Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start.");
        var bouncer = new PgBouncer(
            folder, babysitter, new NpgsqlConnectionStringBuilder
            {
                Host = "127.0.0.1",
                Port = port,
                Username = target.Username,
                Password = target.Password,
                Database = target.Database,
            }.ConnectionString);
        try
        {
            await bouncer.WaitUntilItListensAsync(port);
            return bouncer;
        }
        catch
        {
            await bouncer.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _babysitter.StandardInput.Close();
        await _babysitter.WaitForExitAsync();
        _babysitter.Dispose();
    }

    private async Task WaitUntilItListensAsync(int port)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var log = Path.Combine(_folder, "log");
        while (true)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException exception)
            {
                // It ends with such a line, for example if the port is taken.
                var written = File.Exists(log) ? await File.ReadAllTextAsync(log) : "(no log)";
                if (clock.Elapsed > TimeSpan.FromMinutes(3) || written.Contains(" FATAL ", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"PgBouncer did not start.\n{written}", exception);
                }
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
