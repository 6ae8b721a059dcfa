using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Entries as the arrays that one statement takes. What no entry has stays empty and costs nothing.</summary>
internal static class EnqueueBatch
{
    internal static NpgsqlParameter[] ToArgs(IReadOnlyList<NewEntry> entries, NameTable names)
    {
        var count = entries.Count;
        var (queues, kinds, priorities, attempts, args) = (new int[count], new short[count], new short[count], new short[count], new ReadOnlyMemory<byte>[count]);
        for (var i = 0; i < count; i++)
        {
            var entry = entries[i];

            // Most batches are of one kind for one queue.
            if (i > 0 && ReferenceEquals(entry.Queue, entries[i - 1].Queue) && ReferenceEquals(entry.Kind, entries[i - 1].Kind))
            {
                (queues[i], kinds[i]) = (queues[i - 1], kinds[i - 1]);
            }
            else
            {
                names.TryGetQueue(entry.Queue, out queues[i]);
                names.TryGetKind(entry.Kind, out var kind);
                kinds[i] = (short)kind;
            }

            priorities[i] = (short)entry.Priority;
            attempts[i] = (short)entry.MaxAttempts;
            args[i] = entry.Args;
        }

        return
        [
            Arg.Array(queues, NpgsqlDbType.Integer),
            Arg.Array(kinds, NpgsqlDbType.Smallint),
            Arg.Array(priorities, NpgsqlDbType.Smallint),
            Arg.Array(attempts, NpgsqlDbType.Smallint),
            Arg.Array(args, NpgsqlDbType.Text),
            Arg.Array(Some(entries, static entry => Arg.Instant(entry.RunAt)), NpgsqlDbType.TimestampTz),
            Arg.Array(Some(entries, static entry => Arg.Span(entry.RunAfter)), NpgsqlDbType.Interval),
            Arg.Array(Some(entries, static entry => Arg.Span(entry.Timeout)), NpgsqlDbType.Interval),
            Arg.Array(Some(entries, static entry => entry.Metadata), NpgsqlDbType.Text),
            Arg.Array(Some(entries, static entry => entry.TraceParent), NpgsqlDbType.Text),
            Arg.Array(Some(entries, static entry => entry.UniqueKey), NpgsqlDbType.Text),
        ];
    }

    private static T[] Some<T>(IReadOnlyList<NewEntry> entries, Func<NewEntry, T> value)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (value(entries[i]) is not null)
            {
                var values = new T[entries.Count];
                for (; i < entries.Count; i++)
                {
                    values[i] = value(entries[i]);
                }

                return values;
            }
        }

        return [];
    }
}
