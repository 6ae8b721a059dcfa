using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>The end of pauses, and events of tools.</content>
internal sealed partial class SqliteOperationStore
{
    public async ValueTask<int> ResumeDueAsync(CancellationToken cancellationToken)
    {
        // Search with a reader, which does not block other writes: usually there is none.
        var now = database.Now();
        if (!await database.ReadBrieflyAsync(
            session => session.Get(NameSql.PauseEnded).Bind(1, now).Exists()
                || session.Get(NameSql.KindPauseEnded).Bind(1, now).Exists(), cancellationToken).ConfigureAwait(false))
        {
            return 0;
        }

        var resumed = await database.WriteAsync(
            session => Resume(session, now, NameSql.PauseEnded, NameSql.Pause, "queue ") + Resume(
                session, now, NameSql.KindPauseEnded, NameSql.PauseKind, "kind "),
            cancellationToken).ConfigureAwait(false);
        database.Hints.Control();
        return resumed;
    }

    private static int Resume(SqliteSession session, long now, string find, string set, string what)
    {
        var ended = new List<(long Id, string Name)>();
        var statement = session.Get(find).Bind(1, now);
        while (statement.Step())
        {
            ended.Add((statement.Int64(0), statement.Text(1)));
        }

        foreach (var (id, name) in ended)
        {
            session.Get(set).Bind(1, id).Bind(2, false).Bind(3, now).BindNull(4).BindNull(5).BindNull(6).Execute();
            EventWriter.Add(session, now, new NewEvent(QueueEventKind.Resumed) { Subject = what + name, Detail = NewEvent.PauseIsOver });
        }

        return ended.Count;
    }

    public async ValueTask RecordAsync(QueueEventKind kind, string subject, AuditInfo audit, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                EventWriter.Add(session, database.Now(), new NewEvent(kind, audit) { Subject = subject });
                return true;
            },
            cancellationToken).ConfigureAwait(false);
}
