using System.Text;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Jobs and tasks in PostgreSQL. Every statement that starts a run or changes a plan locks the job's row.</summary>
internal sealed partial class PostgreSqlJobStore(PostgreSqlDatabase database, PostgreSqlQueueStore queue) : IJobStore
{
    private readonly StartBatches _starts = new(new TaskStarter(database, queue.Hints));

    /// <inheritdoc cref="StartBatches.Patience"/>
    internal TimeSpan StartPatience
    {
        get => _starts.Patience;
        set => _starts.Patience = value;
    }

    public async Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken)
        => (await ReadJobsAsync(JobSql.Find, [Arg.Uuid(jobId)], cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken)
        => (await ReadJobsAsync(JobSql.FindByName, [Arg.Text(name)], cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken)
        => await database.UseAsync(
            (connection, token) => ListAsync(database, connection, query, withArgs: true, token), cancellationToken).ConfigureAwait(false);

    /// <summary>Lists a page of jobs. A search in their names returns no arguments.</summary>
    internal static async ValueTask<JobPage> ListAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, JobQuery query, bool withArgs, CancellationToken cancellationToken)
    {
        // One job more than the limit shows whether there is another page.
        NpgsqlParameter[] page = [Arg.Text(query.After), Arg.Int8(query.Limit + 1)];
        var (statement, args) = query.NameContains is { } text
            ? (JobListSql.Search, new[] { page[0], page[1], Arg.Text(text), Arg.Int8(query.MaxExamined) })
            : (withArgs ? JobListSql.List : JobListSql.ListWithoutArgs, page);
        var jobs = await database.ListAsync(connection, statement, args, static row => ReadJob(row, 0), cancellationToken)
            .ConfigureAwait(false);
        if (jobs.Count > query.Limit)
        {
            return new JobPage(jobs[..query.Limit], jobs[query.Limit - 1].Name);
        }

        var edge = query.NameContains is null ? [] : await database.ListAsync(
            connection, JobListSql.Edge, [Arg.Text(query.After), Arg.Int8(query.MaxExamined)], static row => row.GetString(0),
            cancellationToken).ConfigureAwait(false);
        return new JobPage(jobs, edge is [var last] ? last : null);
    }

    public async Task<long?> TriggerAsync(Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (entry, line) = await TriggerOnceAsync(jobId, overlap, audit, cancellationToken).ConfigureAwait(false);
        if (entry is null)
        {
            // There is no such job, or its queue or kind has no number yet.
            await NameJobsAsync(cancellationToken).ConfigureAwait(false);
            (entry, line) = await TriggerOnceAsync(jobId, overlap, audit, cancellationToken).ConfigureAwait(false);
        }

        if (entry is not null)
        {
            queue.Hints.Work(line);
        }

        return entry;
    }

    private ValueTask<(long? Entry, string Queue)> TriggerOnceAsync(
        Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken)
        => database.InTransactionAsync<(long? Entry, string Queue)>(
            async (connection, token) =>
            {
                var runs = await database.ListAsync(
                    connection,
                    JobSql.Trigger,
                    [Arg.Uuid(jobId), Arg.Text(JobEntryArgs.Write(jobId, overlap: overlap))],
                    static row => (Entry: row.GetInt64(0), Queue: row.GetString(1), Job: row.GetString(2)),
                    token).ConfigureAwait(false);
                if (runs is not [var run])
                {
                    return (null, string.Empty);
                }

                var triggered = JobEvents.Of(QueueEventKind.JobTriggered, run.Job, audit) with { EntryId = run.Entry };
                await database.AddEventAsync(connection, triggered, token).ConfigureAwait(false);
                return (run.Entry, run.Queue);
            },
            cancellationToken);

    public async Task<int> BackfillAsync(
        Guid jobId, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit, CancellationToken cancellationToken)
    {
        await NameJobsAsync(cancellationToken).ConfigureAwait(false);
        var (line, count) = await database.InTransactionAsync<(string? Queue, int Count)>(
            async (connection, token) =>
            {
                var filled = await database.ListAsync(
                    connection,
                    JobSql.Backfill,
                    [
                        Arg.Uuid(jobId),
                        Arg.Array([.. dues.Select(static due => Arg.Instant(due))], NpgsqlDbType.TimestampTz),
                        Arg.Array([.. dues.Select(due => JobEntryArgs.Write(jobId, dueAt: due))], NpgsqlDbType.Text),
                    ],
                    static row => (Queue: row.GetString(0), Count: (int)row.GetInt64(1), Job: row.GetString(2)),
                    token).ConfigureAwait(false);
                if (filled is not [var runs])
                {
                    return (null, 0);
                }

                await database.AddEventAsync(
                    connection, JobEvents.Backfilled(runs.Job, runs.Count, dues, audit), token).ConfigureAwait(false);
                return (runs.Queue, runs.Count);
            },
            cancellationToken).ConfigureAwait(false);
        if (line is not null)
        {
            queue.Hints.Work(line);
        }

        return count;
    }

    public async Task<IReadOnlyList<DeclaredJob>> ListDeclaredAsync(string application, CancellationToken cancellationToken)
        => await database.ReadAsync(
            JobSql.ListDeclared,
            [Arg.Text(application)],
            static async (reader, token) =>
            {
                var jobs = new List<DeclaredJob>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    jobs.Add(new DeclaredJob(reader.GetString(0), reader.StringOrNull(1), reader.GetBoolean(2)));
                }

                return jobs;
            },
            cancellationToken).ConfigureAwait(false);

    // Jobs of the old system have kinds and queues without numbers, and a failover may have lost a number.
    private async Task NameJobsAsync(CancellationToken cancellationToken)
    {
        var names = await database.ReadAsync(
            JobSql.UnknownNames,
            [],
            static async (reader, token) =>
            {
                var rows = new List<(string? Kind, string? Queue)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    rows.Add((reader.StringOrNull(0), reader.StringOrNull(1)));
                }

                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        if (names.Count > 0)
        {
            await queue.Names.RegisterAsync(
                names.Select(static row => row.Kind).OfType<string>(),
                names.Select(static row => row.Queue).OfType<string>(), cancellationToken).ConfigureAwait(false);
        }
    }

    private ValueTask<List<Job>> ReadJobsAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => database.ReadAsync(
            statement,
            args,
            static async (reader, token) =>
            {
                var jobs = new List<Job>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    jobs.Add(ReadJob(reader, 0));
                }

                return jobs;
            },
            cancellationToken);

    internal static Job ReadJob(NpgsqlDataReader reader, int first) => new()
    {
        Id = reader.GetGuid(first),
        Name = reader.GetString(first + 1),
        Kind = reader.GetString(first + 2),
        Args = reader.GetString(first + 3),
        Schedule = StoredSchedule.Read(reader.MicrosecondsOrNull(first + 4), reader.TimeOrNull(first
            + 5), reader.StringOrNull(first + 17), reader.StringOrNull(first + 18)),
        State = (JobState)reader.GetInt16(first + 6),
        Pause = (JobState)reader.GetInt16(first + 6) == JobState.Paused ? ReadPause(reader, first) : null,
        StartAt = reader.TimeOrNull(first + 19),
        EndAt = reader.TimeOrNull(first + 20),
        Except = StoredSchedule.ReadExceptions(reader.StringOrNull(first + 21)),
        Overlap = (OverlapPolicy)reader.GetInt16(first + 7),
        MissedRuns = (MissedRunPolicy)reader.GetInt16(first + 8),
        CatchUpWithin = reader.MicrosecondsOrNull(first + 22),
        CatchUpLimit = reader.GetInt32(first + 23),
        ExpiresAfter = reader.MicrosecondsOrNull(first + 24),
        Queue = reader.GetString(first + 9),
        Priority = reader.GetInt16(first + 10),
        MaxAttempts = reader.GetInt16(first + 11),
        Timeout = reader.MicrosecondsOrNull(first + 12),
        NextRunAt = reader.TimeOrNull(first + 13),
        CreatedAt = reader.Time(first + 14),
        UpdatedAt = reader.Time(first + 15),
        DeclaredBy = reader.StringOrNull(first + 16),
        OrphanedAt = reader.TimeOrNull(first + 29),
    };

    private static PauseInfo ReadPause(NpgsqlDataReader reader, int first) => new()
    {
        Since = reader.TimeOrNull(first + 25) ?? reader.Time(first + 15),
        Actor = reader.StringOrNull(first + 27),
        Reason = reader.StringOrNull(first + 28),
        Until = reader.TimeOrNull(first + 26),
    };

    private static string Json(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
