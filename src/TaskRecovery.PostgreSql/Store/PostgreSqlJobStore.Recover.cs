using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Recovers jobs: an active job without a planned run gets one.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int PlanBatch = 1_000;

    public async Task<int> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        await NameJobsAsync(cancellationToken).ConfigureAwait(false);
        var planned = 0;
        var lines = new HashSet<string>(StringComparer.Ordinal);
        for (Guid? last = Guid.Empty; last is { } after;)
        {
            (last, var entries) = await database.InTransactionAsync((connection, token) => PlanMissingAsync(connection, after, token), cancellationToken).ConfigureAwait(false);
            planned += entries.Sum(static line => line.Count);
            lines.UnionWith(entries.Select(static line => line.Queue));
        }

        lines.ToList().ForEach(queue.Hints.Work);
        return planned;
    }

    // Jobs are scanned in the order of their ids and each round resumes where the last one stopped, so 100,000 jobs are scanned once and
    // not once per round.
    private async ValueTask<(Guid? Last, List<(string Queue, int Count)> Entries)> PlanMissingAsync(NpgsqlConnection connection, Guid after, CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(
            connection,
            JobSql.LockUnplanned,
            [Arg.Uuid(after), Arg.Int4(PlanBatch)],
            static async (reader, token) =>
            {
                var rows = new List<(Guid Id, DateTimeOffset? Due)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var timing = new JobTiming(
                        JobState.Active, reader.MicrosecondsOrNull(2), reader.TimeOrNull(3), reader.TimeOrNull(4), reader.TimeOrNull(5), IsPlanned: false);
                    rows.Add((reader.GetGuid(0), JobPlanning.Missing(timing, wasPlanned: reader.GetBoolean(1), reader.GetFieldValue<DateTimeOffset>(6))));
                }

                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        if (jobs.Count == 0)
        {
            return (null, []);
        }

        var entries = await database.ReadAsync(
            connection,
            JobSql.PlanMany,
            [Arg.Array([.. jobs.Select(static job => job.Id)], NpgsqlDbType.Uuid), Arg.Array([.. jobs.Select(static job => Arg.Instant(job.Due))], NpgsqlDbType.TimestampTz)],
            static async (reader, token) =>
            {
                var lines = new List<(string, int)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    lines.Add((reader.GetString(0), (int)reader.GetInt64(1)));
                }

                return lines;
            },
            cancellationToken).ConfigureAwait(false);
        return (jobs[^1].Id, entries);
    }
}
