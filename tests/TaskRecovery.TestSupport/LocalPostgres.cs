using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A server in a temporary folder, on a free loopback port. It is removed when this process ends, for whatever reason.</summary>
/// <remarks>A shell script waits for the other end of a pipe to close, which happens even after SIGKILL. Then it stops the
/// server and removes its folder.</remarks>
internal sealed class LocalPostgres : IAsyncDisposable
{
    private const int StartAttempts = 20;

    // In seconds, and as an argument of pg_ctl: a machine may stand still.
    private const string Patience = "300";

    private readonly string _binaries;
    private readonly string[] _asUser;
    private readonly string _folder;
    private readonly string _password;
    private int _port;
    private Process? _babysitter;

    private LocalPostgres(string binaries, string? password = null)
    {
        _binaries = binaries;
        _password = password ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(12));
        _asUser = UnprivilegedUser.Prefix();
        _folder = Directory.CreateTempSubdirectory("taskrecovery-pg-").FullName;
    }

    public int Port => _port;

    private string Data => Path.Combine(_folder, "data");

    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _port,
        Username = "postgres",
        Password = _password,
        Database = "postgres",
    }.ConnectionString;

    public static async Task<LocalPostgres> StartAsync(string binaries, PostgresServerOptions options)
    {
        var server = new LocalPostgres(binaries);
        try
        {
            await server.CreateAsync(options);
            await server.StartAsync(mayMove: true);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Copies a running server and starts the copy as its standby with this cluster_name, on a given or a free port.</summary>
    public static async Task<LocalPostgres> StartStandbyAsync(LocalPostgres primary, string name, int? port = null)
    {
        var standby = new LocalPostgres(primary._binaries, primary._password);
        try
        {
            await UnprivilegedUser.GiveAsync(standby._folder);
            standby.StartBabysitter();
            await standby.CopyAsync(primary);
            await standby.ConfigureAsync($"cluster_name = '{name}'");
            await standby.MoveAsync(port ?? LoopbackPort.FindFree());
            await standby.StartAsync(mayMove: port is null);
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    /// <summary>Promotes a standby to a primary and waits until it is one.</summary>
    public async Task PromoteAsync()
    {
        var (exitCode, output) = await RunAsync("pg_ctl", "-D", Data, "-w", "-t", Patience, "promote");
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"PostgreSQL was not promoted.\n{output}\n{await LogAsync()}");
        }
    }

    public Task StartAsync() => StartAsync(mayMove: false);

    public async Task StopAsync(string mode)
    {
        var (exitCode, output) = await RunAsync("pg_ctl", "-D", Data, "-w", "-t", Patience, "-m", mode, "stop");
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"PostgreSQL did not stop ({mode}).\n{output}\n{await LogAsync()}");
        }
    }

    /// <summary>Returns the id of the server's main process.</summary>
    public async Task<int> ProcessIdAsync()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid"));
        return int.Parse(lines[0], CultureInfo.InvariantCulture);
    }

    public Task<string> LogAsync()
    {
        var log = Path.Combine(_folder, "log");
        return File.Exists(log) ? File.ReadAllTextAsync(log) : Task.FromResult("(no log)");
    }

    public async ValueTask DisposeAsync()
    {
        if (_babysitter is null)
        {
            Directory.Delete(_folder, recursive: true);
            return;
        }

        _babysitter.StandardInput.Close();
        await _babysitter.WaitForExitAsync();
        _babysitter.Dispose();
        _babysitter = null;
    }

    private async Task StartAsync(bool mayMove)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (exitCode, output) =
                await RunAsync("pg_ctl", "-D", Data, "-w", "-t", Patience, "-l", Path.Combine(_folder, "log"), "start");
            if (exitCode == 0 || await AcceptsConnectionsAsync())
            {
                return;
            }

            // After a kill, the server's children need a moment to notice and to detach from the shared memory.
            if (attempt == StartAttempts)
            {
                throw new InvalidOperationException($"PostgreSQL did not start.\n{output}\n{await LogAsync()}");
            }

            if (mayMove && (await LogAsync()).Contains("could not bind", StringComparison.Ordinal))
            {
                // Another program has taken the port since it was found free.
                await MoveAsync(LoopbackPort.FindFree());
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }
    }

    // A start that took too long for pg_ctl has succeeded all the same.
    private async Task<bool> AcceptsConnectionsAsync()
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task MoveAsync(int port)
    {
        _port = port;
        await ConfigureAsync($"port = {port}");
    }

    // Of several lines with one setting, the last one counts.
    private Task ConfigureAsync(string setting) => File.AppendAllLinesAsync(Path.Combine(Data, "postgresql.conf"), [setting]);

    private async Task CreateAsync(PostgresServerOptions options)
    {
        await UnprivilegedUser.GiveAsync(_folder);
        StartBabysitter();

        var passwordFile = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(passwordFile, _password);
        await UnprivilegedUser.GiveAsync(passwordFile);
        var (exitCode, output) = await RunAsync(
            "initdb", "-D", Data, "-U", "postgres", "-A", "password", $"--pwfile={passwordFile}", "-E", "UTF8", "--locale=C", "--no-sync");
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"initdb failed.\n{output}");
        }

        _port = LoopbackPort.FindFree();
        await File.AppendAllLinesAsync(Path.Combine(Data, "postgresql.conf"), Configuration(options));
    }

    // Not with pg_basebackup, which is missing where only the server's own programs are installed. Files that disappear while they are
    // copied are restored from the log, which the standby gets from the primary.
    private async Task CopyAsync(LocalPostgres primary)
    {
        const string copy = """
            mkdir -m 700 "$2" && cp -a "$1/." "$2/" 2>/dev/null
            rm -rf "$2/postmaster.pid" "$2/pg_replslot/"* "$2/pg_wal/"*
            test -f "$2/global/pg_control"
            """;
        const string follow = """
            printf '%s' "$2" > "$1/backup_label" && touch "$1/standby.signal"
            """;
        await using var connection = new NpgsqlConnection(primary.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var backup = new NpgsqlCommand("select pg_backup_start('standby', true)::text", connection);
        await backup.ExecuteScalarAsync();
        await RunScriptAsync(copy, primary.Data, Data);
        backup.CommandText = "select labelfile from pg_backup_stop(false)";
        var label = (string)(await backup.ExecuteScalarAsync())!;
        await RunScriptAsync(follow, Data, label);

        // Not by the script: other users of the machine can read the arguments of a process.
        await File.AppendAllLinesAsync(
            Path.Combine(Data, "postgresql.auto.conf"),
            [$"primary_conninfo = 'host=127.0.0.1 port={primary._port} user=postgres password={primary._password}'"]);
    }

    private async Task RunScriptAsync(string script, params string[] arguments)
    {
        var (exitCode, output) = await RunAsync("/bin/sh", ["-c", script, "sh", .. arguments]);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"The server was not copied.\n{output}");
        }
    }

    private IEnumerable<string> Configuration(PostgresServerOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = _port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["fsync"] = options.Fsync ? "on" : "off",
            ["full_page_writes"] = options.Fsync ? "on" : "off",
            ["shared_buffers"] = "128MB",
            ["log_line_prefix"] = "%m [%p] %a ",
        };
        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'");
    }

    private void StartBabysitter()
    {
        const string script = """
            trap '' INT TERM HUP
            while read -r _; do :; done
            data=$1 folder=$2; shift 2
            cd /
            "$@" -D "$data" -m immediate -w -t 300 stop >/dev/null 2>&1
            rm -rf "$folder"
            """;
        var start =
            new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-c", script, "sh", Data, _folder, .. _asUser, Path.Combine(_binaries, "pg_ctl")])
        {
            start.ArgumentList.Add(argument);
        }

        _babysitter = Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start.");
    }

    private Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments) =>
        Command.RunAsync([.. _asUser, Path.Combine(_binaries, program), .. arguments], workingFolder: _folder);
}
