using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Progress and log lines in a SQLite file.</summary>
/// <remarks>A handler that reports its progress does not wait for the disk. If a power failure loses a report, its run is lost
/// too.</remarks>
internal sealed class SqliteRunInfoStore(SqliteDatabase database) : IRunInfoStore
{
    public async ValueTask SaveReportAsync(
        Guid nodeId, long entryId, long fence, long done, long? total, string? message, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session => session.Get(RunInfoSql.Report)
                .Bind(1, nodeId).Bind(2, entryId).Bind(3, fence).Bind(4, done)
                .Bind(5, total).Bind(6, message).Bind(7, database.Now()).ExecuteChanges(),
            cancellationToken, relaxed: true).ConfigureAwait(false);

    public async ValueTask AppendLogAsync(IReadOnlyList<RunLogPart> parts, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                foreach (var part in parts)
                {
                    session.Get(RunInfoSql.Append).Bind(1, part.EntryId).Bind(2, part.Fence).Bind(3, part.Part).Bind(
                        4, StoredLog.Write(part.Lines)).Execute();
                }

                return true;
            },
            cancellationToken, relaxed: true).ConfigureAwait(false);
}
