using System.Text;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Steps and the checkpoint: what the entry, or its task, had finished before. Read from the store when first asked for.</summary>
internal sealed partial class WorkRun
{
    private readonly Lock _progressGate = new();
    private HashSet<string>? _usedSteps;
    private Task<StoredProgress>? _progress;
    private ReadOnlyMemory<byte>? _savedCheckpoint;

    private ProgressKey ProgressKey => new(Entry.Id, TaskId);

    public async Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);
        UseStepName(name);
        var progress = await LoadProgressAsync(cancellationToken).ConfigureAwait(false);
        if (progress.Steps.TryGetValue(name, out var stored))
        {
            return shared.Json.Read<T>(stored)!;
        }

        ThrowIfFenced();
        FaultPoints.Reach(FaultPoints.StepBetween);
        var result = await step(cancellationToken).ConfigureAwait(false);
        await SaveStepAsync(name, WriteJson(result, $"The result of step '{name}'")).ConfigureAwait(false);
        return result;
    }

    public async Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);
        UseStepName(name);
        var progress = await LoadProgressAsync(cancellationToken).ConfigureAwait(false);
        if (progress.Steps.ContainsKey(name))
        {
            return;
        }

        ThrowIfFenced();
        FaultPoints.Reach(FaultPoints.StepBetween);
        await step(cancellationToken).ConfigureAwait(false);
        await SaveStepAsync(name, "null"u8.ToArray()).ConfigureAwait(false);
    }

    public async Task SaveCheckpointAsync<T>(T checkpoint, CancellationToken cancellationToken)
    {
        ThrowIfFenced();
        var json = WriteJson(checkpoint, "The checkpoint");
        if (!await shared.Store.SaveCheckpointAsync(NodeId, ProgressKey, Fence, json, cancellationToken).ConfigureAwait(false))
        {
            IsFenced = true;
            throw new ClaimLostException(Entry.Id, Fence);
        }

        lock (_progressGate)
        {
            _savedCheckpoint = json;
        }
    }

    public async Task<T?> GetCheckpointAsync<T>(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>? checkpoint;
        lock (_progressGate)
        {
            checkpoint = _savedCheckpoint;
        }

        checkpoint ??= (await LoadProgressAsync(cancellationToken).ConfigureAwait(false)).Checkpoint;
        return checkpoint is { } json ? shared.Json.Read<T>(json) : default;
    }

    // The work of the step is done, so its result is stored even if the token has fired since: the fence decides whether it counts.
    private async Task SaveStepAsync(string name, byte[] result)
    {
        ThrowIfFenced();
        if (!await shared.Store.SaveStepAsync(NodeId, ProgressKey, Fence, name, result, CancellationToken.None).ConfigureAwait(false))
        {
            IsFenced = true;
            throw new ClaimLostException(Entry.Id, Fence);
        }
    }

    private void UseStepName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (Encoding.UTF8.GetByteCount(name) > EntryLimits.MaxStepNameBytes || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"The step name '{name}' is longer than {EntryLimits.MaxStepNameBytes} bytes of UTF-8 or has a NUL character. Use a shorter one.", nameof(name));
        }

        lock (_progressGate)
        {
            if (!(_usedSteps ??= new HashSet<string>(StringComparer.Ordinal)).Add(name))
            {
                throw new InvalidOperationException($"The step '{name}' was used before in this run of entry {Entry.Id}. Give each step a name of its own, for example with a number in a loop.");
            }
        }
    }

    private Task<StoredProgress> LoadProgressAsync(CancellationToken cancellationToken)
    {
        lock (_progressGate)
        {
            if (_progress is null || _progress.IsFaulted || _progress.IsCanceled)
            {
                _progress = shared.Store.LoadProgressAsync(ProgressKey, cancellationToken).AsTask();
            }

            return _progress;
        }
    }
}
