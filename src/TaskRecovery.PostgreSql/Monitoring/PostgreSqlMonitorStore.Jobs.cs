using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <content>Jobs.</content>
internal sealed partial class PostgreSqlMonitorStore
{
    public ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            (connection, token) => PostgreSqlJobStore.ListAsync(database, connection, query, withArgs: false, token),
            cancellationToken);

    public ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<Job>>(
            ListLimit,
            async (connection, token) => await database.ListAsync(
                connection, JobListSql.FindMany, [Arg.Array([.. jobIds.Distinct()], NpgsqlDbType.Uuid)],
                static row => PostgreSqlJobStore.ReadJob(row, 0), token).ConfigureAwait(false),
            cancellationToken);
}
