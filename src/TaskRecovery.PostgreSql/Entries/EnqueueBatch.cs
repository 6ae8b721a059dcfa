using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Converts entries to the array parameters of one statement. If no entry has a value for a column, its array is empty and costs
/// nothing.</summary>
internal static class EnqueueBatch
{
    /// <summary>The maximum number of entries in one statement.</summary>
    internal const int MaxEntries = 10_000;

    /// <summary>The maximum size of the entries of one statement, in bytes, unless a single entry has more. A protocol message is limited
    /// to a gigabyte, and a statement would exceed its time limit before that.</summary>
    internal const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>The number of entries, from <paramref name="start"/> on, that fit into one statement: at least one.</summary>
    internal static int Fitting(IReadOnlyList<NewEntry> entries, int start, int maxEntries, long maxBytes)
    {
        long bytes = 0;
        var end = Math.Min(entries.Count, start + maxEntries);
        for (var i = start; i < end; i++)
        {
            bytes += EntrySizes.Of(entries[i]);
            if (bytes > maxBytes && i > start)
            {
                return i - start;
            }
        }

        return end - start;
    }

    /// <summary>Whether one statement can store all entries.</summary>
    internal static bool FitsOneStatement(IReadOnlyList<NewEntry> entries) => Fitting(entries, 0, MaxEntries, MaxBytes) == entries.Count;

    /// <summary>Whether entries without unique keys and expiries differ only in their args.</summary>
    internal static bool AreAlike(IReadOnlyList<NewEntry> entries)
    {
        var first = entries[0];
        for (var i = 1; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry.Priority != first.Priority || entry.MaxAttempts != first.MaxAttempts
                || entry.RunAt != first.RunAt || entry.RunAfter != first.RunAfter || entry.Timeout != first.Timeout
                || !string.Equals(entry.Queue, first.Queue, StringComparison.Ordinal)
                || !string.Equals(entry.Kind, first.Kind, StringComparison.Ordinal)
                || !string.Equals(entry.Metadata, first.Metadata, StringComparison.Ordinal)
                || !string.Equals(entry.TraceParent, first.TraceParent, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="entries">The entries.</param>
    /// <param name="names">The numbers of their queues and kinds.</param>
    internal static NpgsqlParameter[] ToArgs(IReadOnlyList<NewEntry> entries, NameNumbers names)
    {
        var count = entries.Count;
        Dictionary<string, int> usedQueues = new(StringComparer.Ordinal), usedKinds = new(StringComparer.Ordinal);
        var (queues, kinds, priorities, attempts, args) =
            (new int[count], new short[count], new short[count], new short[count], new ReadOnlyMemory<byte>[count]);
        for (var i = 0; i < count; i++)
        {
            var entry = entries[i];

            // Most batches have one kind and one queue.
            if (i > 0 && ReferenceEquals(entry.Queue, entries[i - 1].Queue) && ReferenceEquals(entry.Kind, entries[i - 1].Kind))
            {
                (queues[i], kinds[i]) = (queues[i - 1], kinds[i - 1]);
            }
            else
            {
                usedQueues[entry.Queue] = queues[i] = names.Queue(entry.Queue);
                usedKinds[entry.Kind] = kinds[i] = names.Kind(entry.Kind);
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
            Arg.Array<int>([.. usedQueues.Values], NpgsqlDbType.Integer),
            Arg.Array<string>([.. usedQueues.Keys], NpgsqlDbType.Text),
            Arg.Array<int>([.. usedKinds.Values], NpgsqlDbType.Integer),
            Arg.Array<string>([.. usedKinds.Keys], NpgsqlDbType.Text),
        ];
    }

    /// <summary>The parameter for the times after which entries do not start.</summary>
    internal static NpgsqlParameter ExpiryOf(IReadOnlyList<NewEntry> entries)
        => Arg.Array(Some(entries, static entry => Arg.Instant(entry.ExpiresAt)), NpgsqlDbType.TimestampTz);

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
