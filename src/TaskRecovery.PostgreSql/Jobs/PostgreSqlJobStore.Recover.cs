using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Recovers jobs: an active job without a planned run gets one.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int PlanBatch = 1_000;

    // A recovery waits half a second for each of so many jobs that stay locked.
    private const int MostTimeouts = 4;

    public async Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        var problems = new List<UnplannableJob>();
        await ResumeDueAsync(problems, cancellationToken).ConfigureAwait(false);
        var (planned, isNamed) = (0, false);
        var lines = await WakeOverdueAsync(cancellationToken).ConfigureAwait(false);
        for (Guid? last = Guid.Empty; last is { } after;)
        {
            var batch = new List<UnplannableJob>();
            (last, var entries) = await database.InTransactionAsync(
                (connection, token) =>
                {
                    batch.Clear();
                    return PlanMissingAsync(connection, after, isNamed, batch, token);
                },
                cancellationToken).ConfigureAwait(false);
            if (entries is null)
            {
                (last, isNamed) = (after, true);
                await NameJobsAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            planned += entries.Sum(static line => line.Count);
            lines.UnionWith(entries.Select(static line => line.Queue));
            problems.AddRange(batch);
        }

        lines.ToList().ForEach(queue.Hints.Work);
        return new JobRecovery(planned, problems) { Overdue = await ListOverdueAsync(cancellationToken).ConfigureAwait(false) };
    }

    private ValueTask<List<OverdueJob>> ListOverdueAsync(CancellationToken cancellationToken)
        => database.ReadAsync(
            JobSql.Overdue,
            [Arg.Micros(OverdueJob.Limit), Arg.Int8(OverdueJob.Most)],
            static async (reader, token) =>
            {
                var jobs = new List<OverdueJob>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var (due, now) = (reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<DateTimeOffset>(2));
                    jobs.Add(new OverdueJob(reader.GetString(0), now - due));
                }

                return jobs;
            },
            cancellationToken);

    // A job that another transaction has locked must not keep the others waiting: the next recovery finds it again.
    private async Task ResumeDueAsync(List<UnplannableJob> problems, CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(
            JobSql.ToResume,
            [],
            static async (reader, token) =>
            {
                var due = new List<(Guid Id, string Name)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    due.Add((reader.GetGuid(0), reader.GetString(1)));
                }

                return due;
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var (id, name) in jobs)
        {
            try
            {
                await ResumeAsync(
                    id, JobSql.TryLockForPlan, static held => held.ResumeAt <= held.Now, audit: null, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (Exception exception) when (UnplannableJob.IsProblem(exception))
            {
                problems.Add(UnplannableJob.Of(name, exception));
            }
        }
    }

    // Returns the queues that got work.
    private async Task<HashSet<string>> WakeOverdueAsync(CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(
            PausedRunSql.Overdue,
            [],
            static async (reader, token) =>
            {
                var ids = new List<Guid>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    ids.Add(reader.GetGuid(0));
                }

                return ids;
            },
            cancellationToken).ConfigureAwait(false);
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var timeouts = 0;
        foreach (var id in jobs)
        {
            var woken = await WakeOverdueAsync(id, waits: false, cancellationToken).ConfigureAwait(false);
            if (woken is null && timeouts < MostTimeouts)
            {
                woken = await WaitAndWakeAsync(id, cancellationToken).ConfigureAwait(false);
                timeouts += woken is null ? 1 : 0;
            }

            queues.UnionWith(woken ?? []);
        }

        return queues;
    }

    // The starts of a busy job lock it for moments, in turn, so that it is hardly ever free at once. An operator may keep it locked for
    // long: then the next recovery tries again.
    private async ValueTask<List<string>?> WaitAndWakeAsync(Guid job, CancellationToken cancellationToken)
    {
        try
        {
            return await WakeOverdueAsync(job, waits: true, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            return null;
        }
    }

    // Returns null if another transaction has locked the job.
    private ValueTask<List<string>?> WakeOverdueAsync(Guid job, bool waits, CancellationToken cancellationToken)
        => database.InTransactionAsync<List<string>?>(
            async (connection, token) =>
            {
                Statement[] locks = waits
                    ? [new(StartSql.LimitWait), new(PausedRunSql.WaitForJob, Arg.Uuid(job))]
                    : [new(PausedRunSql.TryLockJob, Arg.Uuid(job))];
                var isPaused = await database.ReadLastAsync(
                    connection, locks,
                    static async (reader, stop) => await reader.ReadAsync(stop).ConfigureAwait(false) ? reader.GetBoolean(0) : (bool?)null,
                    commits: false, token).ConfigureAwait(false);
                return isPaused switch
                {
                    null => null,
                    true => [],
                    false => await WakeAsync(connection, job, token).ConfigureAwait(false),
                };
            },
            cancellationToken);

    private static DateTimeOffset? TryPlan(JobTiming timing, Func<JobTiming, DateTimeOffset?> plan, List<UnplannableJob> problems)
    {
        try
        {
            return plan(timing);
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            problems.Add(UnplannableJob.Of(timing.Name, exception));
            return null;
        }
    }

    // Jobs are scanned in the order of their ids and each round resumes where the last one stopped, so 100,000 jobs are scanned once and
    // not once per round. Returns no entries, and changes nothing, if a name has no number and the names were not registered yet.
    private async ValueTask<(Guid? Last, List<(string Queue, int Count)>? Entries)> PlanMissingAsync(
        NpgsqlConnection connection, Guid after, bool isNamed, List<UnplannableJob> problems, CancellationToken cancellationToken)
    {
        Guid? last = null;
        var hasUnknownName = false;
        var jobs = await database.ReadAsync(
            connection,
            JobSql.LockUnplanned,
            [Arg.Uuid(after), Arg.Int4(PlanBatch)],
            async (reader, token) =>
            {
                var rows = new List<(Guid Id, DateTimeOffset? Due)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    last = reader.GetGuid(0);
                    hasUnknownName |= reader.GetBoolean(12);
                    var (wasPlanned, now, known) = (reader.GetBoolean(1), reader.GetFieldValue<DateTimeOffset>(6), problems.Count);
                    var due = TryPlan(ReadTiming(reader), job => JobPlanning.Missing(job, wasPlanned, now), problems);
                    if (problems.Count == known)
                    {
                        rows.Add((last.Value, due));
                    }
                }

                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        if (hasUnknownName && !isNamed)
        {
            return (after, null);
        }

        if (jobs.Count == 0)
        {
            return (last, []);
        }

        return (last, await PlanManyAsync(connection, jobs, cancellationToken).ConfigureAwait(false));
    }

    private ValueTask<List<(string Queue, int Count)>> PlanManyAsync(
        NpgsqlConnection connection, List<(Guid Id, DateTimeOffset? Due)> jobs, CancellationToken cancellationToken)
        => database.ReadAsync(
            connection,
            JobSql.PlanMany,
            [Arg.Array([.. jobs.Select(static job => job.Id)], NpgsqlDbType.Uuid), Arg.Array(
                [.. jobs.Select(static job => Arg.Instant(job.Due))], NpgsqlDbType.TimestampTz)],
            static async (reader, token) =>
            {
                var lines = new List<(string, int)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    lines.Add((reader.GetString(0), (int)reader.GetInt64(1)));
                }

                return lines;
            },
            cancellationToken);

    private static JobTiming ReadTiming(NpgsqlDataReader reader) => new()
    {
        Name = reader.GetString(7),
        State = JobState.Active,
        Schedule = StoredSchedule.Read(reader.MicrosecondsOrNull(2), reader.TimeOrNull(3), reader.StringOrNull(8), reader.StringOrNull(9)),
        StartAt = reader.TimeOrNull(4),
        EndAt = reader.TimeOrNull(10),
        Except = StoredSchedule.ReadExceptions(reader.StringOrNull(11)),
        NextRunAt = reader.TimeOrNull(5),
    };
}
