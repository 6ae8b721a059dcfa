using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Progress and log lines in PostgreSQL. Their commits do not wait for the disk.</summary>
internal sealed class PostgreSqlRunInfoStore(PostgreSqlDatabase database) : IRunInfoStore
{
    public async ValueTask SaveReportAsync(
        Guid nodeId, long entryId, long fence, long done, long? total, string? message, CancellationToken cancellationToken)
        => await database.SendAsync(
            RunInfoSql.Report,
            [Arg.Uuid(nodeId), Arg.Int8(entryId), Arg.Int8(fence), Arg.Int8(done), Arg.Int8(total), Arg.Text(message)],
            cancellationToken).ConfigureAwait(false);

    public async ValueTask AppendLogAsync(IReadOnlyList<RunLogPart> parts, CancellationToken cancellationToken)
    {
        long[] entries = [.. parts.Select(static part => part.EntryId)];
        await database.SendAsync(
            [
                new Statement(OutcomeSql.LockEntries, Arg.Array(entries, NpgsqlDbType.Bigint)),
                new Statement(
                    RunInfoSql.Append,
                    Arg.Array(entries, NpgsqlDbType.Bigint),
                    Arg.Array([.. parts.Select(static part => part.Fence)], NpgsqlDbType.Bigint),
                    Arg.Array([.. parts.Select(static part => part.Part)], NpgsqlDbType.Integer),
                    Arg.Array([.. parts.Select(static part => StoredLog.Write(part.Lines))], NpgsqlDbType.Text)),
            ],
            cancellationToken).ConfigureAwait(false);
    }
}
