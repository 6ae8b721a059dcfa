using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Job recovery: plans a run for each active job that has none.</summary>
internal sealed partial class SqliteJobStore
{
    // Holds the write lock for about 10 ms per batch.
    private const int PlanBatch = 1_000;

    public async Task<int> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        // Search with a reader: with 100,000 jobs the search alone would hold the write lock for 0.2 s every minute, mostly without finding
        // anything.
        var jobs = await database.ReadAsync(
            static session =>
            {
                var ids = new List<Guid>();
                var statement = session.Get(JobSql.Unplanned);
                while (statement.Step())
                {
                    if (statement.Bytes(0).Length == 16)
                    {
                        ids.Add(statement.Guid(0));
                    }
                }

                return ids;
            },
            cancellationToken).ConfigureAwait(false);
        var planned = 0;
        var queues = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in jobs.Chunk(PlanBatch))
        {
            var filled = await database.WriteAsync(session => PlanMissing(NewMoves(session), part), cancellationToken).ConfigureAwait(false);
            planned += filled.Count;
            queues.UnionWith(filled);
        }

        foreach (var queue in queues)
        {
            SendHint(queue);
        }

        return planned;
    }

    /// <returns>The queues of the jobs for which an entry was stored.</returns>
    private static List<string> PlanMissing(EntryMoves moves, IEnumerable<Guid> ids)
    {
        var queues = new List<string>();
        foreach (var id in ids)
        {
            // Another node may have planned it in the meantime.
            if (Find(moves.Session, id) is not { State: JobState.Active } job
                || (job.PlannedEntry is { } entry && !moves.Session.Get(JobSql.IsOver).Bind(1, entry).Exists()))
            {
                continue;
            }

            if (JobPlanning.Missing(job.Timing, wasPlanned: job.PlannedEntry is not null, Micros.ToTime(moves.Now)) is { } due)
            {
                Plan(moves, job, Micros.From(due));
                queues.Add(job.Queue);
            }
            else
            {
                SetPlan(moves, id, JobState.Ended, null, null);
            }
        }

        return queues;
    }

    // A manually edited row can contain any values. A job that can't be planned must not block the others.
    private static JobRow? Find(SqliteSession session, Guid id)
    {
        var statement = session.Get(JobSql.Find).Bind(1, id);
        try
        {
            return JobRow.ReadOne(statement);
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            statement.Reset();
            return null;
        }
    }
}
