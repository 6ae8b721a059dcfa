using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Lists of rows, and events.</content>
internal sealed partial class PostgreSqlDatabase
{
    /// <summary>Runs one statement that is planned for its values, inside the transaction that is open on the connection, and reads all its
    /// rows.</summary>
    internal async ValueTask<List<T>> ListAsync<T>(
        NpgsqlConnection connection, string statement, NpgsqlParameter[] args,
        Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Sql(statement), connection) { CommandTimeout = CommandTimeout };
        await using var _ = command.ConfigureAwait(false);
        command.Parameters.AddRange(args);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <summary>Stores an event in the transaction that is open on the connection.</summary>
    internal async ValueTask AddEventAsync(NpgsqlConnection connection, NewEvent added, CancellationToken cancellationToken)
        => await ExecuteAsync(connection, EventSql.Insert, ToArgs(added), cancellationToken).ConfigureAwait(false);

    /// <summary>The parameters of <see cref="EventSql.Insert"/>.</summary>
    internal static NpgsqlParameter[] ToArgs(NewEvent added) =>
    [
        Arg.Int2((int)added.Kind),
        Arg.Text(added.Node),
        Arg.Int8(added.EntryId),
        Arg.Text(added.Subject),
        Arg.Int8(added.OperationId),
        Arg.Int8(added.Entries),
        Arg.Text(added.Detail),
        Arg.Text(added.Audit?.Actor),
        Arg.Text(added.Audit?.Reason),
        Arg.Text(added.Audit?.Tool),
    ];
}
