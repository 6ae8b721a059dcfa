using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Corrects the plans of cron jobs whose time zones have other rules than when they were planned. That may be all jobs.</content>
internal sealed partial class PostgreSqlJobStore
{
    public async Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken)
    {
        var problems = new List<UnplannableJob>();
        var wrong = await database.ReadAsync(
            JobSql.PlannedCron, [], (reader, token) => ReadWrongAsync(reader, problems, token), cancellationToken).ConfigureAwait(false);
        var planned = 0;
        var lines = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in wrong.Select(static plan => plan.Job).Order().Chunk(PlanBatch))
        {
            var (corrected, others) = await database.InTransactionAsync(
                (connection, token) => CorrectManyAsync(connection, part, token), cancellationToken).ConfigureAwait(false);
            planned += corrected.Sum(static line => line.Count);
            lines.UnionWith(corrected.Select(static line => line.Queue));
            foreach (var job in others)
            {
                var line = await database.InTransactionAsync(
                    (connection, token) => CorrectAsync(connection, job, token), cancellationToken).ConfigureAwait(false);
                if (line is not null)
                {
                    planned++;
                    lines.Add(line);
                }
            }
        }

        lines.ToList().ForEach(queue.Hints.Work);
        return new JobRecovery(planned, problems);
    }

    private static async ValueTask<List<(Guid Job, long Entry, DateTimeOffset Due)>> ReadWrongAsync(
        NpgsqlDataReader reader, List<UnplannableJob> problems, CancellationToken cancellationToken)
    {
        var wrong = new List<(Guid, long, DateTimeOffset)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var timing = new JobTiming
            {
                Name = reader.GetString(1),
                State = JobState.Active,
                Schedule = StoredSchedule.Read(null, null, reader.GetString(2), reader.StringOrNull(3)),
                StartAt = reader.TimeOrNull(4),
                EndAt = reader.TimeOrNull(5),
                Except = StoredSchedule.ReadExceptions(reader.StringOrNull(6)),
                NextRunAt = reader.TimeOrNull(7),
                IsPlanned = true,
            };
            var now = reader.GetFieldValue<DateTimeOffset>(8);
            if (TryPlan(timing, job => JobPlanning.Correct(job, now), problems) is { } due)
            {
                wrong.Add((reader.GetGuid(0), reader.GetInt64(9), due));
            }
        }

        return wrong;
    }

    /// <returns>The queues that got entries, and the jobs whose planned entries do not wait.</returns>
    private async ValueTask<(List<(string Queue, int Count)> Corrected, List<Guid> Others)> CorrectManyAsync(
        NpgsqlConnection connection, Guid[] jobs, CancellationToken cancellationToken)
    {
        var wrong = await database.ReadAsync(
            connection, JobSql.LockPlannedCron, [Arg.Array(jobs, NpgsqlDbType.Uuid)],
            static (reader, token) => ReadWrongAsync(reader, [], token), cancellationToken).ConfigureAwait(false);
        var ended = (await database.ListAsync(
            connection,
            JobSql.EndManyWaiting,
            [
                Arg.Array([.. wrong.Select(static plan => plan.Entry)], NpgsqlDbType.Bigint),
                Arg.Int2((int)OutcomeKind.Superseded), Arg.Text(EndReasons.Superseded),
            ],
            static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)).ToHashSet();
        var plans = wrong.FindAll(plan => ended.Contains(plan.Entry)).ConvertAll(static plan => (plan.Job, (DateTimeOffset?)plan.Due));
        return (
            plans.Count == 0 ? [] : await PlanManyAsync(connection, plans, cancellationToken).ConfigureAwait(false),
            [.. wrong.Where(plan => !ended.Contains(plan.Entry)).Select(static plan => plan.Job)]);
    }

    private async ValueTask<string?> CorrectAsync(NpgsqlConnection connection, Guid jobId, CancellationToken cancellationToken)
    {
        if (await LockAsync(connection, jobId, null, cancellationToken).ConfigureAwait(false) is not { PlannedEntry: { } entry } held
            || JobPlanning.Correct(held.Timing, held.Now) is not { } due
            || await IsOverAsync(connection, entry, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        await EndPlannedAsync(connection, held, OutcomeKind.Superseded, EndReasons.Superseded, cancellationToken).ConfigureAwait(false);
        await PlanAsync(connection, jobId, due, cancellationToken).ConfigureAwait(false);
        return held.Queue;
    }
}
