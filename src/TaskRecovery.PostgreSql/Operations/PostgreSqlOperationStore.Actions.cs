using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>The end of pauses, and events of tools.</content>
internal sealed partial class PostgreSqlOperationStore
{
    public async ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken)
    {
        var resumed = await database.InTransactionAsync(
            async (connection, token) =>
            {
                var names = await database.ListAsync(
                    connection, OperatorSql.ResumeDue, [], static row => row.GetString(0), token).ConfigureAwait(false);
                foreach (var name in names)
                {
                    await database.AddEventAsync(
                        connection, new NewEvent(QueueEventKind.Resumed) { Subject = name, Detail = NewEvent.PauseIsOver },
                        token).ConfigureAwait(false);
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
        => await database.ExecuteAsync(EventSql.Insert, PostgreSqlDatabase.ToArgs(
            new NewEvent(kind, audit) { Subject = subject }), cancellationToken).ConfigureAwait(false);
}
