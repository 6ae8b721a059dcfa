using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>The store's claim statement, for floors.</summary>
internal static class PostgresFloorClaims
{
    private static readonly short[] Levels = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

    /// <summary>The times from which a claim looks at each level, at first.</summary>
    public static DateTime[] Beginning()
        => [.. Levels.Select(static _ => DateTime.SpecifyKind(new DateTime(2000, 1, 1), DateTimeKind.Utc))];

    /// <summary>Adds a living node.</summary>
    public static async Task AddNodeAsync(NpgsqlConnection connection, Guid id)
    {
        await using var node = new NpgsqlCommand(
            "insert into taskrecovery.nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key) "
            + "values ($1, 'floor', false, false, 'floor', 0, 0, 0)",
            connection);
        node.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await node.ExecuteNonQueryAsync();
    }

    /// <summary>A statement of the store.</summary>
    public static NpgsqlCommand Command(NpgsqlConnection connection, string statement, NpgsqlParameter[] args)
    {
        var command = new NpgsqlCommand(PostgresDrainFloor.Sql(statement), connection);
        command.Parameters.AddRange(args);
        return command;
    }

    /// <summary>The parameters of a claim.</summary>
    /// <param name="node">The node.</param>
    /// <param name="queue">The queue's number and name.</param>
    /// <param name="kinds">The kinds' numbers and names.</param>
    /// <param name="limit">How many entries at most.</param>
    /// <param name="times">Where to begin at each level; <see cref="ClaimAsync"/> moves them on.</param>
    public static NpgsqlParameter[] Args(
        Guid node, (int Number, string Name) queue, (short[] Numbers, string[] Names) kinds, int limit, DateTime[] times) =>
    [
        Arg.Uuid(node), Arg.Int4(queue.Number), Arg.Array(kinds.Numbers, NpgsqlDbType.Smallint),
        Arg.Int4(limit), .. NoLevels(), .. NoLevels(),
        Arg.Array(Levels, NpgsqlDbType.Smallint), Arg.Array(times, NpgsqlDbType.TimestampTz),
        Arg.Array(new long[Levels.Length], NpgsqlDbType.Bigint),
        Arg.Text(queue.Name), Arg.Array(kinds.Names, NpgsqlDbType.Text),
    ];

    /// <summary>Claims once, and returns the fence, 0 if there was nothing.</summary>
    public static async Task<long> ClaimAsync(NpgsqlCommand claim, List<long> taken, List<byte[]> args, DateTime[] times)
    {
        await using var reader = await claim.ExecuteReaderAsync();
        await reader.ReadAsync();
        var fence = reader.IsDBNull(ClaimColumns.Fence) ? 0L : reader.GetInt64(ClaimColumns.Fence);
        while (await reader.ReadAsync())
        {
            if (taken.Count == 0)
            {
                times[reader.GetInt16(ClaimColumns.Level) - Levels[0]] = reader.GetDateTime(ClaimColumns.RunAt);
            }

            taken.Add(reader.GetInt64(ClaimColumns.Id));
            args.Add(reader.GetFieldValue<byte[]>(ClaimColumns.Args));
        }

        return fence;
    }

    private static NpgsqlParameter[] NoLevels()
        => [Arg.Array<short>([], NpgsqlDbType.Smallint), Arg.Array<DateTime>([], NpgsqlDbType.TimestampTz),
            Arg.Array<long>([], NpgsqlDbType.Bigint), Arg.Int4(0)];
}
