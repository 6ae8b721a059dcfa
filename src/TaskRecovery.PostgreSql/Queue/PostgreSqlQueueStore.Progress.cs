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
        try
        {
            return await SaveAsync(nodeId, writes, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (PostgreSqlErrors.IsContent(exception))
        {
            throw new ContentRefusedException($"PostgreSQL refused a value ({exception.SqlState}: {exception.MessageText}).", exception);
        }
    }

    private async ValueTask<bool[]> SaveAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
    {
        try
        {
            return await SaveAsync(new ProgressBatch(nodeId, writes, skipsStored: false), writes.Count, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (PostgresException exception)
            when (string.Equals(exception.SqlState, PostgresErrorCodes.UniqueViolation, StringComparison.Ordinal))
        {
            // Some of the steps are stored already, because an answer was lost. Nothing of this call was stored.
            return await SaveAsync(new ProgressBatch(nodeId, writes, skipsStored: true), writes.Count, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async ValueTask<bool[]> SaveAsync(ProgressBatch batch, int writes, CancellationToken cancellationToken)
    {
        var held = new bool[writes];
        await _database.ReadEachAsync(
            batch.Statements,
            (part, reader, token) => ReadPlacesAsync(batch.PlacesOf(part), held, reader, token),
            cancellationToken).ConfigureAwait(false);
        batch.ShareCheckpoints(held);
        return held;
    }

    private static async ValueTask ReadPlacesAsync(
        IReadOnlyList<int> places, bool[] held, NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (var number in reader.GetFieldValue<long[]>(0))
        {
            held[places[(int)number - 1]] = true;
        }
    }

    public async ValueTask<bool> ResetProgressAsync(
        Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
    {
        var isHeld = false;
        await _database.ReadEachAsync(
            [
                new Statement(StepSql.RecordReset, Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Int8(ordinal)),
                key.TaskId is { } task
                    ? new Statement(StepSql.DeleteOfTask, Arg.Uuid(task), Arg.Int8(fence))
                    : new Statement(StepSql.DeleteOfEntry, Arg.Int8(key.EntryId), Arg.Int8(fence)),
            ],
            async (number, reader, token) =>
            {
                if (number == 0)
                {
                    isHeld = await reader.ReadAsync(token).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
        return isHeld;
    }
}
