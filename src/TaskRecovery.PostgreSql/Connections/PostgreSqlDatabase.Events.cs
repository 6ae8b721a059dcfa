using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Lists of rows, and events.</content>
internal sealed partial class PostgreSqlDatabase
{
    /// <summary>Runs one statement that is planned at each call, inside the transaction that is open on the connection, and reads all its
    /// rows. The plan is generic in the library's own sessions, unless the transaction plans for the values.</summary>
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

    /// <summary>Reads the server's clock, inside the transaction that is open on the connection, if any.</summary>
    internal async ValueTask<DateTimeOffset> ReadTimeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        => (await ListAsync(
            connection, JobSql.Now, [], static row => row.GetFieldValue<DateTimeOffset>(0), cancellationToken)
            .ConfigureAwait(false))[0];

    /// <summary>Reads with statements that are planned for their values, inside the transaction that is open on the connection. Its later
    /// statements are planned as its earlier ones.</summary>
    /// <remarks>For searches. A generic plan knows neither where a search begins nor how many rows it examines, and assumes a third of the
    /// table and a tenth of that: with such numbers, to read and sort a whole index may seem cheaper than to walk its end.</remarks>
    internal async ValueTask<T> ReadPlannedAsync<T>(
        NpgsqlConnection connection, Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        var before = (await ListAsync(
            connection, OperatorSql.Plans, [], static row => row.GetString(0), cancellationToken).ConfigureAwait(false))[0];
        await ListAsync(connection, OperatorSql.UseCustomPlan, [], static _ => true, cancellationToken).ConfigureAwait(false);
        var result = await read(cancellationToken).ConfigureAwait(false);
        await ListAsync(connection, OperatorSql.UsePlans, [Arg.Text(before)], static _ => true, cancellationToken).ConfigureAwait(false);
        return result;
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
