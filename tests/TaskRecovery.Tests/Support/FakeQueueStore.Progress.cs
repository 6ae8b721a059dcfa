using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>Steps, checkpoints and their removal.</summary>
internal sealed partial class FakeQueueStore
{
    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
        => Call("load progress", () => new StoredProgress(
            new Dictionary<string, ReadOnlyMemory<byte>>(_entries[key.EntryId].Steps), _entries[key.EntryId].Checkpoint));

    public async ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
    {
        StepsCanBeTakenBack = cancellationToken.CanBeCanceled;
        if (RefuseProgress(writes) is { } refused)
        {
            throw refused;
        }

        Locked(() =>
        {
            _progressBatches.Add(writes.Count);
            return 0;
        });
        var held = writes.Select(write => Do(write.Step is null ? "save checkpoint" : "save step", () => Save(nodeId, write))).ToArray();
        await ProgressAnswers;
        return held;
    }

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
        => RefuseReset(ordinal) is { } refused ? throw refused : Call("reset progress", () =>
        {
            var holds = Holds(nodeId, fence, key.EntryId);
            Resets.Add(ordinal);
            if (holds)
            {
                _entries[key.EntryId].Steps.Clear();
                _entries[key.EntryId].Checkpoint = null;
            }

            return holds;
        });

    private bool Save(Guid nodeId, ProgressWrite write)
    {
        var entry = _entries[write.Key.EntryId];
        if (!Holds(nodeId, write.Fence, entry.Id))
        {
            return false;
        }

        if (write.Step is null)
        {
            entry.Checkpoint = write.Data;
        }
        else
        {
            entry.Steps.TryAdd(write.Step, write.Data);
        }

        return true;
    }
}
