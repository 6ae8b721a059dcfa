using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Corrects the plans of cron jobs whose time zones have other rules than when they were planned. That may be all jobs.</content>
internal sealed partial class PostgreSqlJobStore
{
    // Each job that another transaction keeps locked costs half a second, in which a starting node does not work yet.
    private const int MostLockedPlans = 4;

    public async Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken)
    {
        var problems = new List<UnplannableJob>();
        var wrong = await database.ReadAsync(
            JobSql.PlannedCron, [], (reader, token) => ReadWrongAsync(reader, problems, token), cancellationToken).ConfigureAwait(false);
        var (planned, locked) = (0, 0);
        var lines = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in wrong.Select(static plan => plan.Job).Order().Chunk(PlanBatch))
        {
            var (corrected, others) = await database.InTransactionAsync(
                (connection, token) => CorrectManyAsync(connection, part, token), cancellationToken).ConfigureAwait(false);
            planned += corrected.Sum(static line => line.Count);
            lines.UnionWith(corrected.Select(static line => line.Queue));
            foreach (var job in others)
            {
                if (locked == MostLockedPlans)
                {
                    break;
                }

                var (line, isLocked) = await TryCorrectAsync(job, cancellationToken).ConfigureAwait(false);
                locked += isLocked ? 1 : 0;
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

    /// <returns>The queues that got entries, and the jobs that are locked, or whose planned entries do not wait.</returns>
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
            [.. jobs.Except(plans.Select(static plan => plan.Job))]);
    }

    // If another transaction has locked the job, its run stays as it was planned, and the one after it follows the new rules.
    private async ValueTask<(string? Queue, bool IsLocked)> TryCorrectAsync(Guid job, CancellationToken cancellationToken)
    {
        try
        {
            var line = await database.InTransactionAsync(
                async (connection, token) =>
                {
                    await database.LimitLocksAsync(connection, token).ConfigureAwait(false);
                    return await CorrectAsync(connection, job, token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
            return (line, IsLocked: false);
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            return (null, IsLocked: true);
        }
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
