using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Errors;

namespace TaskRecovery.Cli.Import;

/// <summary>The record of what was imported, in a table of its own beside those of the library.</summary>
/// <remarks>The unique key of an entry is free again when the entry has ended, and retention removes the entry later. Without a record, a
/// second import would run the work twice. Only an import creates the table; nothing else reads it.</remarks>
internal sealed class ImportRecords : IAsyncDisposable
{
    private const string DefaultSchema = "taskrecovery";

    private readonly DbConnection _connection;
    private readonly string _table;
    private readonly string _existence;
    private bool? _exists;

    private ImportRecords(DbConnection connection, string table, string existence)
    {
        _connection = connection;
        _table = table;
        _existence = existence;
    }

    /// <summary>Creates the access to the record. Nothing is opened yet.</summary>
    public static ImportRecords Create(ConnectionText connection, string? schema)
    {
        if (connection.File is not null)
        {
            return new ImportRecords(
                new SqliteConnection(connection.Text), "taskrecovery_imports",
                "select count(*) from sqlite_master where type = 'table' and name = 'taskrecovery_imports'");
        }

        var table = $"{SourceDatabase.Quote(schema ?? DefaultSchema)}.imports";
        return new ImportRecords(
            new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection.Text) { Pooling = false }.ConnectionString), table,
            $"select count(*) from (select to_regclass('{table.Replace("'", "''", StringComparison.Ordinal)}') as found) t "
            + "where found is not null");
    }

    /// <summary>Creates the table if it does not exist.</summary>
    public Task CreateTableAsync(CancellationToken cancellationToken) => TryAsync(async () =>
    {
        if (!await ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            await ExecuteAsync(
                $"create table if not exists {_table} (source text not null, id text not null, "
                + "imported_at timestamptz not null default current_timestamp, primary key (source, id))",
                [], transaction: null, cancellationToken).ConfigureAwait(false);
            _exists = true;
        }

        return true;
    });

    /// <summary>Finds which of these ids were imported.</summary>
    public Task<HashSet<string>> FindAsync(string source, IReadOnlyList<string> ids, CancellationToken cancellationToken) => TryAsync(
        async () => await ExistsAsync(cancellationToken).ConfigureAwait(false)
            ? await ExecuteAsync(
                $"select id from {_table} where source = @source and id in ({Names(ids)})", Values(source, ids), null, cancellationToken)
                .ConfigureAwait(false)
            : new HashSet<string>(StringComparer.Ordinal));

    /// <summary>Begins a transaction, in which entries can be stored too.</summary>
    public Task<DbTransaction> BeginAsync(CancellationToken cancellationToken) => TryAsync(async () =>
    {
        await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await _connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Records ids as imported. Another import of the same ids waits until the transaction ends.</summary>
    /// <returns>Those that were not recorded before.</returns>
    public Task<HashSet<string>> AddAsync(
        string source, IReadOnlyList<string> ids, DbTransaction? transaction, CancellationToken cancellationToken) => TryAsync(async () =>
    {
        await OpenAsync(cancellationToken).ConfigureAwait(false);
        var rows = string.Join(", ", ids.Select(static (_, at) => string.Create(CultureInfo.InvariantCulture, $"(@source, @id{at})")));
        return await ExecuteAsync(
            $"insert into {_table} (source, id) values {rows} on conflict do nothing returning id",
            Values(source, ids), transaction, cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Commits a transaction.</summary>
    public static Task CommitAsync(DbTransaction transaction, CancellationToken cancellationToken) => TryAsync(async () =>
    {
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    });

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static string Names(IReadOnlyList<string> ids)
        => string.Join(", ", ids.Select(static (_, at) => string.Create(CultureInfo.InvariantCulture, $"@id{at}")));

    private static IEnumerable<(string Name, string Value)> Values(string source, IReadOnlyList<string> ids)
        => ids.Select(static (id, at) => (string.Create(CultureInfo.InvariantCulture, $"id{at}"), id)).Prepend(("source", source));

    private async Task<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        if (_exists is null)
        {
            await OpenAsync(cancellationToken).ConfigureAwait(false);
            var command = _connection.CreateCommand();
            await using (command.ConfigureAwait(false))
            {
                command.CommandText = _existence;
                var count = await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
                _exists = Convert.ToInt64(count, CultureInfo.InvariantCulture) > 0;
            }
        }

        return _exists.Value;
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (_connection.State != ConnectionState.Open)
        {
            await _connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HashSet<string>> ExecuteAsync(
        string sql, IEnumerable<(string Name, string Value)> values, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var command = _connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandText = sql;
            command.Transaction = transaction;
            foreach (var (name, value) in values)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = (name, value);
                command.Parameters.Add(parameter);
            }

            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    found.Add(reader.GetString(0));
                }
            }
        }

        return found;
    }

    private static async Task<T> TryAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new CommandException(
                ExitCodes.NotUsable, $"The record of imports can't be kept, because the role may not create or write its table: "
                + $"{exception.MessageText}. Use the role that migrates.");
        }
        catch (DbException exception)
        {
            throw new CommandException(
                exception.IsTransient || exception is not PostgresException ? ExitCodes.NotReachable : ExitCodes.NotUsable,
                $"The record of imports can't be read or written: {exception.Message}");
        }
    }
}
