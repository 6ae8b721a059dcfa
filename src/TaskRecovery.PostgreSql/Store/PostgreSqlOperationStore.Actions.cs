using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Actions on one entry or queue, each with its event.</content>
internal sealed partial class PostgreSqlOperationStore
{
    public ValueTask<OperatorResult> RetryAsync(long entryId, RetryOptions options, AuditInfo audit, CancellationToken cancellationToken)
        => queue.RetryAsync(entryId, options, audit, cancellationToken);

    public async ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken)
    {
        var change = await database.InTransactionAsync(
            async (connection, token) =>
            {
                var changes = await CancelAsync(connection, [entryId], token).ConfigureAwait(false);
                if (changes[0].Result == OperatorResult.Done)
                {
                    await database.AddEventAsync(connection, new NewEvent(QueueEventKind.EntryCancelled, audit) { EntryId = entryId }, token).ConfigureAwait(false);
                }

                return changes[0];
            },
            cancellationToken).ConfigureAwait(false);
        if (change.IsRunning)
        {
            queue.Hints.Control();
        }

        return change.Result;
    }

    public async ValueTask SetPausedAsync(PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        await database.InTransactionAsync(
            async (connection, token) =>
            {
                await database.ExecuteAsync(
                    connection,
                    target.KindName is null ? OperatorSql.SetPaused : OperatorSql.SetKindPaused,
                    PostgreSqlQueueStore.PauseArgs(target.KindName ?? target.QueueName!, pause),
                    token).ConfigureAwait(false);
                var kind = pause is null ? QueueEventKind.Resumed : QueueEventKind.Paused;
                await database.AddEventAsync(connection, new NewEvent(kind, audit) { Subject = target.ToString() }, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        queue.Hints.Control();
    }

    public async ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken)
    {
        var resumed = await database.InTransactionAsync(
            async (connection, token) =>
            {
                var names = await database.ListAsync(connection, OperatorSql.ResumeDue, [], static row => row.GetString(0), token).ConfigureAwait(false);
                foreach (var name in names)
                {
                    await database.AddEventAsync(
                        connection, new NewEvent(QueueEventKind.Resumed) { Subject = name, Detail = "the time of the pause is over" }, token).ConfigureAwait(false);
                }

                return names.Count;
            },
            cancellationToken).ConfigureAwait(false);
        if (resumed > 0)
        {
            queue.Hints.Control();
        }

        return resumed;
    }

    public async ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken)
        => await database.ExecuteAsync(EventSql.Insert, PostgreSqlDatabase.ToArgs(new NewEvent(kind, audit) { Subject = subject }), cancellationToken).ConfigureAwait(false);
}
