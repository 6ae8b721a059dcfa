using System.Buffers.Text;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>What the start of runs writes, without reading and judging anything: the tasks, the next entries and the plans.</summary>
internal static class PostgresStarts
{
    /// <summary>The kind of the entries of benchmark jobs.</summary>
    public const string Kind = "task:benchmark-task";

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>The parameters of <see cref="StartSql.Apply"/>.</summary>
    public static NpgsqlParameter[] Args(List<long> entries, List<byte[]> args, long fence, int queue, short kind)
    {
        var (count, now) = (entries.Count, DateTime.UtcNow);
        return
        [
            Arg.Time(now),
            Arg.Array<long>([.. entries], NpgsqlDbType.Bigint),
            Arg.Array(Filled(count, fence), NpgsqlDbType.Bigint),
            Arg.Array<Guid>([.. args.Select(JobOf)], NpgsqlDbType.Uuid),
            Arg.Array(Filled(count, StartSql.Insert), NpgsqlDbType.Smallint),
            Arg.Array(Filled(count, (short)1), NpgsqlDbType.Smallint),
            Arg.Array(Filled(count, "floor"), NpgsqlDbType.Text),
            Arg.Array<Guid>([.. entries.Select(static _ => Guid.CreateVersion7())], NpgsqlDbType.Uuid),
            Arg.Array(Filled(count, now), NpgsqlDbType.TimestampTz),
            Arg.Array(new string?[count], NpgsqlDbType.Text),
            Arg.Array(Filled(count, true), NpgsqlDbType.Boolean),
            Arg.Array(Filled(count, now + Interval), NpgsqlDbType.TimestampTz),
            Arg.Array(Filled(count, queue), NpgsqlDbType.Integer),
            Arg.Array(Filled(count, kind), NpgsqlDbType.Smallint),
            Arg.Array(Filled(count, false), NpgsqlDbType.Boolean),
        ];
    }

    // The arguments of an entry begin with the id of its job. Those of a warm-up have none: nothing is planned for them.
    private static Guid JobOf(byte[] args)
    {
        var start = args.AsSpan().IndexOf(":"u8) + 1;
        var value = args.AsSpan(start).TrimStart(" \""u8);
        return Utf8Parser.TryParse(value, out Guid job, out _) ? job : Guid.NewGuid();
    }

    private static T[] Filled<T>(int count, T value)
    {
        var values = new T[count];
        Array.Fill(values, value);
        return values;
    }
}
