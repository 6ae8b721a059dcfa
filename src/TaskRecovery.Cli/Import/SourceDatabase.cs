using Npgsql;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Import;

/// <summary>The PostgreSQL database of another system, which is only read.</summary>
internal sealed class SourceDatabase : IAsyncDisposable
{
    private const string Columns = """
        select c.relname, a.attname
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname = @p0 and c.relname = any(@p1)
        """;

    private readonly NpgsqlConnection _connection;
    private readonly string _text;

    private SourceDatabase(string text, string where)
    {
        _text = text;
        Where = where;

        // A pool of the process would be shared with the tool's own connections to the same database, which are limited to one.
        _connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(text) { Pooling = false }.ConnectionString);
    }

    /// <summary>The database for messages.</summary>
    public string Where { get; }

    /// <summary>The name of the database.</summary>
    public string Name => _connection.Database;

    /// <summary>Opens the database that <c>--from</c> names: by a connection string, or by an environment variable that has one.</summary>
    /// <exception cref="CommandException">There is none, or it can't be reached.</exception>
    public static async Task<SourceDatabase> OpenAsync(string from, Terminal terminal, CancellationToken cancellationToken)
    {
        var isText = from.Contains('=', StringComparison.Ordinal);
        if (isText && ConnectionText.HasPassword(from))
        {
            new Printer(terminal).Note(
                "Other users of this machine can see a password on the command line. Put the connection string into an environment "
                + "variable and give its name to --from.");
        }

        var text = isText ? from : terminal.Variable(from);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw CommandException.Usage(
                $"--from is '{from}', and there is no environment variable of this name: give a connection string such as "
                + "'Host=localhost;Database=shop', or the name of a variable that has one.");
        }

        var connection = ConnectionText.Parse(text);
        if (connection.File is not null)
        {
            throw CommandException.Usage("--from names a file of SQLite: give a connection string of PostgreSQL.");
        }

        var database = new SourceDatabase(connection.Text, connection.Where);
        try
        {
            await database.TryAsync(() => database._connection.OpenAsync(cancellationToken)).ConfigureAwait(false);
            return database;
        }
        catch (Exception)
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Quotes a name.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Reads the rows of a query, whose parameters are <c>@p0</c> and so on.</summary>
    public async Task<List<T>> QueryAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] parameters)
    {
        var rows = new List<T>();
        await TryAsync(async () =>
        {
            var command = new NpgsqlCommand(sql, _connection);
            await using (command.ConfigureAwait(false))
            {
                for (var i = 0; i < parameters.Length; i++)
                {
                    command.Parameters.AddWithValue($"p{i}", parameters[i]);
                }

                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        rows.Add(read(reader));
                    }
                }
            }
        }).ConfigureAwait(false);
        return rows;
    }

    /// <summary>Throws if a table or column is missing.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="tables">The tables and their columns, each as <c>table column column</c>.</param>
    /// <param name="whose">The system and its version, for the message.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task RequireTablesAsync(
        string schema, IReadOnlyCollection<string> tables, string whose, CancellationToken cancellationToken)
    {
        var wanted = tables.Select(static table => table.Split(' ')).ToList();
        var found = await QueryAsync(
            Columns, static row => (Table: row.GetString(0), Column: row.GetString(1)), cancellationToken,
            schema, wanted.Select(static table => table[0]).ToArray()).ConfigureAwait(false);
        var columns = found.ToLookup(static one => one.Table, static one => one.Column, StringComparer.Ordinal);
        foreach (var table in wanted)
        {
            if (!columns.Contains(table[0]))
            {
                throw new CommandException(ExitCodes.NotUsable, $"The schema '{schema}' in {Where} has no table '{table[0]}', so that its "
                    + $"tables are not those of {whose}. Check --from and --from-schema. Nothing was imported.");
            }

            if (table.Skip(1).Except(columns[table[0]], StringComparer.Ordinal).FirstOrDefault() is { } missing)
            {
                throw new CommandException(ExitCodes.NotUsable, $"The table '{schema}.{table[0]}' in {Where} has no column '{missing}', so "
                    + $"that it is not that of {whose}: it may belong to another version. Nothing was imported.");
            }
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task TryAsync(Func<Task> action)
    {
        try
        {
            await action().ConfigureAwait(false);
        }
        catch (NpgsqlException exception)
        {
            throw new CommandException(
                exception is PostgresException { IsTransient: false } ? ExitCodes.NotUsable : ExitCodes.NotReachable,
                ConnectionText.Redact($"{Where} (--from): {exception.Message}", _text));
        }
        catch (TimeoutException)
        {
            throw new CommandException(ExitCodes.NotReachable, $"{Where} (--from) did not answer in time.");
        }
    }
}
