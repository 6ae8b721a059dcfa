using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Queries and commands of an operator.</content>
internal sealed partial class PostgreSqlQueueStore
{
    private static readonly short[] FailedKinds = [(short)OutcomeKind.Failed];
    private static readonly short[] CancelledKinds = [(short)OutcomeKind.Cancelled, (short)OutcomeKind.Superseded];

    public async ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken)
        => (await ReadEntriesAsync([entryId], withPayloads: true, cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken)
    {
        var (statement, kinds) = filter.State switch
        {
            null => (OperatorSql.List, null),
            EntryState.Waiting => (OperatorSql.ListWaiting, null),
            EntryState.Running => (OperatorSql.ListRunning, null),
            EntryState.Completed => (OperatorSql.ListCompleted, null),
            EntryState.Failed => (OperatorSql.ListUnwell, FailedKinds),
            _ => (OperatorSql.ListUnwell, CancelledKinds),
        };
        List<NpgsqlParameter> args = [Arg.Int8(filter.Before ?? long.MaxValue), Arg.Text(filter.Queue), Arg.Text(filter.Kind), Arg.Int8(filter.Limit + 1L)];
        if (kinds is not null)
        {
            args.Add(Arg.Array(kinds, NpgsqlDbType.Smallint));
        }

        // Request one more id than needed: if it is returned, there is another page.
        var ids = await _database.ReadLastAsync(
            filter.State == EntryState.Waiting
                ? [new Statement(OperatorSql.AllowScans), new Statement(OperatorSql.UseCustomPlan), new Statement(statement, [.. args])]
                : [new Statement(OperatorSql.UseCustomPlan), new Statement(statement, [.. args])],
            ReaderExtensions.ReadIdsAsync,
            cancellationToken).ConfigureAwait(false);
        var page = ids.Take(filter.Limit).ToArray();
        var entries = page.Length == 0 ? [] : await ReadEntriesAsync(page, filter.WithPayloads, cancellationToken).ConfigureAwait(false);

        // Skip entries whose state changed between the two statements.
        return new EntryPage([.. entries.Where(entry => filter.State is not { } state || entry.State == state)], ids.Count > page.Length ? page[^1] : null);
    }

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken)
        => _database.ReadLastAsync(
            [new Statement(OperatorSql.AllowScans), queue is null ? new Statement(OperatorSql.CountAll) : new Statement(OperatorSql.CountQueue, Arg.Text(queue))],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return new QueueCounts(
                    reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5));
            },
            cancellationToken);

    public ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken) => CancelAsync([entryId], EndReasons.CancelRequested, cancellationToken);

    public ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from, CancellationToken cancellationToken)
        => RetryAsync(entryId, new RetryOptions { From = from }, audit: null, cancellationToken);

    /// <summary>Retries an entry, and stores an event if an operator does it.</summary>
    internal async ValueTask<OperatorResult> RetryAsync(long entryId, RetryOptions options, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var (result, queue) = await _database.InTransactionAsync<(OperatorResult Result, string? Queue)>(
            async (connection, token) =>
            {
                NpgsqlParameter Id() => Arg.Array([entryId], NpgsqlDbType.Bigint);
                var queues = await _database.ListAsync(
                    connection,
                    OperatorSql.Retry,
                    [Id(), Arg.Bool(options.From == RetryFrom.Start), Arg.Time(options.RunAt)],
                    static row => row.GetString(1),
                    token).ConfigureAwait(false);
                if (queues is not [var queue])
                {
                    var why = await _database.ListAsync(connection, OperatorSql.WhyNotRetried, [Id()], static row => (OperatorResult)row.GetInt32(1), token).ConfigureAwait(false);
                    return (why is [var result] ? result : OperatorResult.NotFound, null);
                }

                if (audit is not null)
                {
                    await _database.AddEventAsync(connection, new NewEvent(QueueEventKind.EntryRetried, audit) { EntryId = entryId }, token).ConfigureAwait(false);
                }

                return (OperatorResult.Done, queue);
            },
            cancellationToken).ConfigureAwait(false);
        if (queue is not null)
        {
            Hints.Work(queue);
        }

        return result;
    }

    public ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken) => new Eraser(_database, this).EraseAsync(target, cancellationToken);

    public async ValueTask SetPausedAsync(string queue, bool paused, CancellationToken cancellationToken)
    {
        await _database.ExecuteAsync(OperatorSql.SetPaused, PauseArgs(queue, paused ? new PauseInfo() : null), cancellationToken).ConfigureAwait(false);
        Hints.Control();
    }

    /// <summary>The parameters of <see cref="OperatorSql.SetPaused"/>.</summary>
    internal static NpgsqlParameter[] PauseArgs(string queue, PauseInfo? pause)
        => [Arg.Text(queue), Arg.Bool(pause is not null), Arg.Text(pause?.Actor), Arg.Text(pause?.Reason), Arg.Time(pause?.Until)];

    /// <summary>Requests the cancellation of entries. The request is stored first, waiting entries end at once, and the nodes of running
    /// entries are notified.</summary>
    /// <returns><see langword="true"/> if this call ended any of the entries, or if any of them is running.</returns>
    internal async ValueTask<bool> CancelAsync(long[] entryIds, string reason, CancellationToken cancellationToken)
    {
        var asked = await _database.ReadAsync(
            OperatorSql.RequestCancel,
            [Arg.Array(entryIds, NpgsqlDbType.Bigint)],
            ReaderExtensions.ReadIdsAsync,
            cancellationToken).ConfigureAwait(false);
        if (asked.Count == 0)
        {
            return false;
        }

        var ended = await _database.ReadAsync(
            OperatorSql.CancelWaiting,
            [Arg.Array(asked.ToArray(), NpgsqlDbType.Bigint), Arg.Text(reason)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.GetInt64(0);
            },
            cancellationToken).ConfigureAwait(false);
        if (ended == asked.Count)
        {
            return true;
        }

        // The rest are running, or ended in the meantime, perhaps by another cancellation.
        var running = await _database.ReadAsync(
            OperatorSql.CountRunning,
            [Arg.Array(asked.ToArray(), NpgsqlDbType.Bigint)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.GetInt64(0);
            },
            cancellationToken).ConfigureAwait(false);
        if (running > 0)
        {
            Hints.Control();
        }

        return ended + running > 0;
    }

    private ValueTask<List<QueueEntry>> ReadEntriesAsync(long[] ids, bool withPayloads, CancellationToken cancellationToken)
        => _database.ReadAsync(
            OperatorSql.Read,
            [Arg.Array(ids, NpgsqlDbType.Bigint), Arg.Bool(withPayloads)],
            static async (reader, token) =>
            {
                var entries = new List<QueueEntry>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    entries.Add(ReadEntry(reader));
                }

                return entries;
            },
            cancellationToken);

    internal static QueueEntry ReadEntry(NpgsqlDataReader reader)
    {
        var hasOutcome = !reader.IsDBNull(17);
        var isEnded = hasOutcome && reader.GetBoolean(17);
        var isWaiting = !isEnded && !reader.IsDBNull(10);
        var lastEnd = hasOutcome ? reader.GetFieldValue<DateTimeOffset>(19) : (DateTimeOffset?)null;
        var lastStart = lastEnd - TimeSpan.FromMilliseconds(hasOutcome ? reader.GetInt32(20) : 0);
        var state = isEnded ? StateOf((OutcomeKind)reader.GetInt16(18)) : isWaiting ? EntryState.Waiting : EntryState.Running;
        var node = reader.StringOrNull(state == EntryState.Running ? 14 : 26);
        return new QueueEntry
        {
            Id = reader.GetInt64(0),
            Kind = reader.GetString(1),
            Queue = reader.GetString(2),
            Priority = reader.GetInt16(3),
            Args = reader.GetString(4),
            State = state,
            Attempt = isEnded ? reader.GetInt16(21) : isWaiting ? reader.GetInt16(11) : reader.GetInt16(15) + 1,
            MaxAttempts = reader.GetInt16(5),
            Crashes = isEnded ? reader.GetInt16(22) : isWaiting ? reader.GetInt16(12) : reader.GetInt16(16),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(6),
            RunAt = isWaiting ? reader.GetFieldValue<DateTimeOffset>(10) : null,

            // If an outcome has no node, its entry was cancelled while it waited.
            StartedAt = state == EntryState.Running ? reader.TimeOrNull(13) : node is null ? null : lastStart,
            EndedAt = isEnded ? lastEnd : null,
            Node = node,
            UniqueKey = reader.StringOrNull(7),
            Timeout = reader.MicrosecondsOrNull(8),
            Metadata = StoredMetadata.Read(reader.StringOrNull(9)),
            Result = isEnded ? reader.StringOrNull(23) : null,
            Error = hasOutcome ? reader.StringOrNull(24) : null,
            Reason = isEnded ? reader.StringOrNull(25) : null,
            CancelRequested = reader.GetBoolean(27),
            ExpiresAt = reader.TimeOrNull(28),
        };
    }

    private static EntryState StateOf(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Completed => EntryState.Completed,
        OutcomeKind.Failed => EntryState.Failed,
        _ => EntryState.Cancelled,
    };
}
