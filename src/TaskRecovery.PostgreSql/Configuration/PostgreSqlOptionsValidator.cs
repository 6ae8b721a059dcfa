using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace TaskRecovery.PostgreSql;

/// <summary>Checks <see cref="PostgreSqlOptions"/> when the host starts.</summary>
internal sealed class PostgreSqlOptionsValidator : IValidateOptions<PostgreSqlOptions>
{
    /// <summary>The maximum length of a name in PostgreSQL, which silently cuts off the rest.</summary>
    private const int MaxNameBytes = 63;

    public ValidateOptionsResult Validate(string? name, PostgreSqlOptions options)
    {
        var problems = new List<string>();
        if (string.IsNullOrEmpty(options.Schema))
        {
            problems.Add($"{nameof(PostgreSqlOptions)}.{nameof(options.Schema)} is empty. Name a schema, or leave the default.");
        }
        else if (options.Schema.Any(IsUnusable))
        {
            problems.Add(
                $"{nameof(PostgreSqlOptions)}.{nameof(options.Schema)} has a brace, a control character or a mark that changes the "
                + "direction of text. "
                + "Statements, messages and logs would show another name; choose one without.");
        }
        else if (Encoding.UTF8.GetByteCount(options.Schema) > MaxNameBytes)
        {
            problems.Add($"{nameof(PostgreSqlOptions)}.{nameof(options.Schema)} is '{options.Schema}'. "
                + $"PostgreSQL takes names of at most {MaxNameBytes} bytes.");
        }
        else if (options.Schema.StartsWith("pg_", StringComparison.Ordinal))
        {
            problems.Add($"{nameof(PostgreSqlOptions)}.{nameof(options.Schema)} is '{options.Schema}'. PostgreSQL keeps names that begin "
                + "with pg_ for itself; choose another.");
        }

        if (options.CommandTimeout < TimeSpan.FromSeconds(1) || options.CommandTimeout > TimeSpan.FromMinutes(10))
        {
            problems.Add(
                $"{nameof(PostgreSqlOptions)}.{nameof(options.CommandTimeout)} is {options.CommandTimeout}. Use 1 second to 10 minutes.");
        }

        if (options.MonitorConnectionString is { } monitor && !ConnectionRules.IsConnectionString(monitor))
        {
            // The value may contain a password.
            problems.Add(
                $"{nameof(PostgreSqlOptions)}.{nameof(options.MonitorConnectionString)} is no connection string for Npgsql, "
                + "or names no host. "
                + "Use one such as 'Host=standby;Database=app;Username=reader', or none to read from the store's own server.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    // Braces mark placeholders in the statements.
    private static bool IsUnusable(char character)
        => character is '{' or '}' || char.IsControl(character)
            || char.GetUnicodeCategory(character) is UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
