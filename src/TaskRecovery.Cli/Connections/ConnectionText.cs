using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Npgsql;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Connections;

/// <summary>A connection string and the store that it names.</summary>
internal sealed partial class ConnectionText
{
    /// <summary>The environment variable that is read if no connection string is given.</summary>
    public const string Variable = "TASKRECOVERY_CONNECTION";

    private const string Examples = "'Host=localhost;Database=tasks' for PostgreSQL or 'Data Source=tasks.db' for SQLite";
    private const int MinRedactedLength = 4;

    private static readonly string[] SqliteNames = ["Data Source", "DataSource", "Filename"];
    private static readonly string[] PostgreSqlNames = ["Host", "Server"];

    private ConnectionText(string text, string where, string? file)
    {
        Text = text;
        Where = where;
        File = file;
    }

    /// <summary>The connection string for the store.</summary>
    public string Text { get; }

    /// <summary>The database for questions and messages, without a password.</summary>
    public string Where { get; }

    /// <summary>The file of SQLite; <see langword="null"/> for PostgreSQL.</summary>
    public string? File { get; }

    /// <summary>Reads a connection string.</summary>
    /// <param name="text">The connection string.</param>
    /// <param name="folder">The folder of a relative path to a file; <see langword="null"/> for that of the process.</param>
    /// <exception cref="CommandException">It is missing, can't be read, or names neither store.</exception>
    public static ConnectionText Parse(string? text, string? folder = null)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw CommandException.Usage($"No connection string: use -c, or the environment variable {Variable}, with {Examples}.");
        }

        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = text };
            if (SqliteNames.Any(parts.ContainsKey))
            {
                var builder = new SqliteConnectionStringBuilder(text);
                if (folder is not null && !NamesNoPath(builder.DataSource))
                {
                    builder.DataSource = Path.Combine(folder, builder.DataSource);
                    text = builder.ConnectionString;
                }

                return new ConnectionText(text, $"file {builder.DataSource}", builder.DataSource);
            }

            if (PostgreSqlNames.Any(parts.ContainsKey))
            {
                // One connection for commands. The reads have two of their own.
                var server = new NpgsqlConnectionStringBuilder(text) { MaxPoolSize = 1, MinPoolSize = 0 };
                server.ApplicationName ??= "taskrecovery";
                return new ConnectionText(
                    server.ConnectionString, $"database {server.Database ?? server.Username} on {HostOf(server)}", null);
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            // The message of the parser may contain a part of the connection string, and so the password.
            throw CommandException.Usage(
                $"The connection string can't be read: write 'Name=value' pairs with ';' between them, as in {Examples}.");
        }

        throw CommandException.Usage($"The connection string names neither a server nor a file: use {Examples}.");
    }

    /// <summary>Whether a connection string contains a password.</summary>
    public static bool HasPassword(string text) => Password().IsMatch(text);

    /// <summary>Removes the password of a connection string from a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="connectionString">The connection string that is in use; <see langword="null"/> if there is none.</param>
    public static string Redact(string message, string? connectionString)
    {
        foreach (var match in Password().Matches(connectionString ?? "").Cast<Match>())
        {
            // Replacing a very short password would destroy the message, and it is found by its name below.
            if (match.Groups["value"].Value.Trim('\'', '"') is { Length: >= MinRedactedLength } value)
            {
                message = message.Replace(value, "***", StringComparison.Ordinal);
            }
        }

        return Password().Replace(message, "${name}=***");
    }

    /// <summary>Whether an argument looks like a connection string or an address, which may contain a password. One that stands where
    /// something else is expected, because the option before it was forgotten, must not be repeated in a message.</summary>
    public static bool MayHavePassword(string argument)
        => argument.Contains("://", StringComparison.Ordinal) || HasPassword(argument)
            || PostgreSqlNames.Concat(SqliteNames).Any(
                name => argument.Contains($"{name}=", StringComparison.OrdinalIgnoreCase)
                    || argument.Contains($"{name} =", StringComparison.OrdinalIgnoreCase));

    /// <summary>Removes the arguments that may contain a password from a message.</summary>
    public static string Redact(string message, IEnumerable<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        foreach (var argument in arguments.Where(MayHavePassword).OrderByDescending(static argument => argument.Length))
        {
            message = message.Replace(argument, "***", StringComparison.Ordinal);
        }

        return message;
    }

    // Behind tunnels, two servers differ only in the port.
    private static string HostOf(NpgsqlConnectionStringBuilder server)
    {
        if (server.Port == NpgsqlConnection.DefaultPort)
        {
            return server.Host!;
        }

        // Several hosts, an address with colons, a path.
        var isName = server.Host!.AsSpan().IndexOfAny(",:/") < 0;
        return string.Create(CultureInfo.InvariantCulture, $"{server.Host}{(isName ? ":" : ", port ")}{server.Port}");
    }

    // A file in memory, a URI, or a path that the library resolves itself.
    private static bool NamesNoPath(string source)
        => source.Length == 0 || source.StartsWith(':')
            || source.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || source.StartsWith('|');

    [GeneratedRegex(
        """(?<name>\b(password|pwd|psw|ssl ?password))\s*=\s*(?<value>'[^']*'|"[^"]*"|[^;'"]*)""",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Password();
}
