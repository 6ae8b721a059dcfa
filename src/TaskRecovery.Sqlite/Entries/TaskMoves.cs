using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Updates a task's record together with its entry, in the same transaction. A task that is bound to another entry by now is not
/// changed.</summary>
internal static class TaskMoves
{
    /// <summary>Returns the state of a task whose entry ended with this outcome.</summary>
    public static TaskState StateOf(OutcomeKind final) => final switch
    {
        OutcomeKind.Completed => TaskState.Completed,
        OutcomeKind.Failed => TaskState.Failed,
        _ => TaskState.Cancelled,
    };

    /// <summary>Ends the task of an entry that has ended.</summary>
    public static void End(
        SqliteSession session, Run run, OutcomeKind kind, ReadOnlySpan<byte> result, string? error, string? reason, long now)
        => session.Get(TaskSql.EndByEntry)
            .Bind(1, run.Entry).Bind(2, (int)StateOf(kind)).Bind(3, run.Attempt)
            .Bind(4, run.Crashes).BindText(5, result).Bind(6, error).Bind(7, reason).Bind(8, now)
            .Execute();

    /// <summary>Sets the final mark of an outcome again, and ends the task of its entry with it.</summary>
    public static void EndAgain(SqliteSession session, long entry, long fence)
    {
        var row = session.Get(OutcomeSql.GiveFinal).Bind(1, entry).Bind(2, fence);
        if (!row.Step())
        {
            return;
        }

        var (kind, attempt, crashes, result) = ((OutcomeKind)row.Int32(0), row.Int32(1), row.Int32(2), row.Bytes(3).ToArray());
        var (error, reason, endedAt, duration) = (row.NullableText(4), row.NullableText(5), row.Int64(6), row.Int64(7));
        var hasRun = !row.IsNull(8);
        row.Execute();
        session.Get(OperationSql.EndTask)
            .Bind(1, entry).Bind(2, (int)StateOf(kind)).Bind(3, attempt).Bind(4, crashes).BindText(5, result).Bind(6, error)
            .Bind(7, reason).Bind(8, endedAt).Bind(9, hasRun ? endedAt - duration : (long?)null)
            .Execute();
    }

    /// <summary>Puts the task back, because its entry was put back.</summary>
    public static void Return(SqliteSession session, Run run, string? error)
        => session.Get(TaskSql.ReturnByEntry).Bind(1, run.Entry).Bind(2, run.Attempt).Bind(3, run.Crashes).Bind(4, error).Execute();

    /// <summary>Returns the entry's task, if it runs one.</summary>
    public static Guid? Find(SqliteSession session, long entry)
    {
        var statement = session.Get(TaskSql.FindIdByEntry).Bind(1, entry);
        Guid? task = statement.Step() ? statement.Guid(0) : null;
        statement.Reset();
        return task;
    }
}
