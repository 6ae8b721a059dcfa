using System.Text;
using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Stores steps and checkpoints.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
        => _database.ReadOnPrimaryAsync(
            key.TaskId is null ? StepSql.LoadOfEntry : StepSql.LoadOfTask,
            [key.TaskId is { } task ? Arg.Uuid(task) : Arg.Int8(key.EntryId)],
            static async (reader, token) =>
            {
                var steps = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
                ReadOnlyMemory<byte>? checkpoint = null;
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var json = Encoding.UTF8.GetBytes(reader.GetString(1));
                    if (reader.IsDBNull(0))
                    {
                        checkpoint = json;
                    }
                    else
                    {
                        steps[reader.GetString(0)] = json;
                    }
                }

                return new StoredProgress(steps, checkpoint);
            },
            cancellationToken);

    public async ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
    {
        var held = new bool[writes.Count];
        try
        {
            var batch = new ProgressBatch(nodeId, writes);
            await _database.ReadEachAsync(
                batch.Statements,
                (part, reader, token) => ReadPlacesAsync(batch.PlacesOf(part), held, reader, token),
                cancellationToken).ConfigureAwait(false);
            batch.ShareCheckpoints(held);
            return held;
        }
        catch (PostgresException exception) when (PostgreSqlErrors.IsContent(exception))
        {
            throw new ContentRefusedException($"PostgreSQL refused a value ({exception.SqlState}: {exception.MessageText}).", exception);
        }
    }

    private static async ValueTask ReadPlacesAsync(
        IReadOnlyList<int> places, bool[] held, NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            held[places[(int)reader.GetInt64(0) - 1]] = true;
        }
    }

    public ValueTask<bool> ResetProgressAsync(
        Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
        => _database.InTransactionAsync(
            async (connection, token) =>
            {
                var isFirst = await _database.ReadAsync(
                    connection,
                    StepSql.RecordReset,
                    [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Int8(ordinal)],
                    static async (reader, read) => await reader.ReadAsync(read).ConfigureAwait(false) ? reader.GetBoolean(0) : (bool?)null,
                    token).ConfigureAwait(false);
                if (isFirst == true)
                {
                    await _database.ExecuteAsync(
                        connection,
                        key.TaskId is null ? StepSql.DeleteOfEntry : StepSql.DeleteOfTask,
                        [key.TaskId is { } task ? Arg.Uuid(task) : Arg.Int8(key.EntryId)],
                        token).ConfigureAwait(false);
                }

                return isFirst is not null;
            },
            cancellationToken);
}
