using TaskRecovery.Hosting;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The steps and the checkpoint of one run, including those that earlier attempts of the entry, or of its task, have stored.
/// Loaded from the store at the first use.</summary>
internal sealed class RunProgress(WorkRun run, RunServices shared)
{
    private static readonly Task<StoredProgress> None = Task.FromResult(StoredProgress.None);
    private static readonly Task<bool> NoReset = Task.FromResult(true);

    private readonly Lock _gate = new();
    private readonly ProgressOrder _order = new();
    private readonly HashSet<string> _usedSteps = new(StringComparer.Ordinal);
    private Task<StoredProgress>? _stored;
    private bool _isReset;
    private ReadOnlyMemory<byte>? _checkpoint;
    private long? _loadedBytes;
    private int _savedSteps;
    private long _savedBytes;
    private Task<bool>? _reset;
    private long _resetOrdinal;

    private ProgressKey Key => new(run.Entry.Id, run.TaskId);

    public async Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);

        // Checked before the step runs: if its result could not be stored, the step would run again.
        shared.Json.Check(typeof(T));
        if (await FindStepAsync(name, cancellationToken).ConfigureAwait(false) is { } stored)
        {
            return shared.Json.Read<T>(stored)!;
        }

        run.CurrentStep = name;
        T result;
        try
        {
            result = await step(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            run.CurrentStep = null;
        }

        await SaveStepAsync(name, run.WriteJson(result, $"The result of step '{name}'")).ConfigureAwait(false);
        return result;
    }

    public async Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (await FindStepAsync(name, cancellationToken).ConfigureAwait(false) is null)
        {
            run.CurrentStep = name;
            try
            {
                await step(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                run.CurrentStep = null;
            }

            await SaveStepAsync(name, "null"u8.ToArray()).ConfigureAwait(false);
        }
    }

    public async Task SaveCheckpointAsync<T>(T checkpoint, CancellationToken cancellationToken)
    {
        AmbientTransaction.Refuse("SaveCheckpointAsync", "Save the checkpoint after the scope.");
        shared.Own.Refuse("SaveCheckpointAsync", "Save the checkpoint after the transaction ends.");
        cancellationToken.ThrowIfCancellationRequested();
        run.ThrowIfFenced();
        var json = run.WriteJson(checkpoint, "The checkpoint");
        await run.ReachAsync(RunPlace.CheckpointBegins).ConfigureAwait(false);
        using (var turn = _order.TakeCheckpoint())
        {
            await SaveAsync(turn, step: null, json).ConfigureAwait(false);
            lock (_gate)
            {
                _checkpoint = json;
            }
        }

        run.MadeProgress();
        await run.ReachAsync(RunPlace.CheckpointStored).ConfigureAwait(false);
        run.ThrowIfOver();
        run.EndIfStopping();
    }

    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        shared.Own.Refuse("ResetStepsAsync");
        run.ThrowIfOver();
        await run.ReachAsync(RunPlace.ResetBegins).ConfigureAwait(false);
        using (var turn = _order.TakeReset())
        {
            await turn.Before.ConfigureAwait(false);
            run.ThrowIfOver();
            Task reset;
            while (!TryBeginReset(turn.Ordinal, out reset))
            {
                await reset.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                run.ThrowIfOver();
            }

            await reset.ConfigureAwait(false);
        }

        await run.ReachAsync(RunPlace.ResetStored).ConfigureAwait(false);
        run.ThrowIfOver();
    }

    public async Task<T?> GetCheckpointAsync<T>(CancellationToken cancellationToken)
    {
        await AfterResetAsync().WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<byte>? checkpoint;
        lock (_gate)
        {
            checkpoint = _checkpoint;
        }

        checkpoint ??= (await LoadAsync().WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false)).Checkpoint;
        run.ThrowIfOver();
        return checkpoint is { } json ? shared.Json.Read<T>(json) : default;
    }

    private async Task<ReadOnlyMemory<byte>?> FindStepAsync(string name, CancellationToken cancellationToken)
    {
        run.ThrowIfOver();
        AmbientTransaction.Refuse(
            "StepAsync", "Open the scope inside the step's delegate: then it commits before the step is stored as done.");
        shared.Own.Refuse("StepAsync", "Begin the transaction inside the step's delegate and end it there: "
            + "then it commits before the step is stored as done.");
        await AfterResetAsync().WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
        Use(name);
        var progress = await LoadAsync().WaitOrAbandonAsync(cancellationToken).ConfigureAwait(false);
        run.ThrowIfOver();
        if (progress.Steps.TryGetValue(name, out var stored))
        {
            await run.ReachAsync(RunPlace.StepFound, name).ConfigureAwait(false);
            return stored;
        }

        ThrowIfFull(progress);

        FaultPoints.Reach(FaultPoints.StepBetween);
        await run.ReachAsync(RunPlace.StepBegins, name).ConfigureAwait(false);
        return null;
    }

    // The step has run, so store its result even if the token was cancelled meanwhile: the fence decides whether it counts.
    private async Task SaveStepAsync(string name, byte[] result)
    {
        await run.ReachAsync(RunPlace.StepReturned, name).ConfigureAwait(false);
        run.ThrowIfFenced();
        using (var turn = _order.TakeStep())
        {
            await SaveAsync(turn, name, result).ConfigureAwait(false);
            lock (_gate)
            {
                _savedSteps++;
                _savedBytes += result.Length;
            }
        }

        run.MadeProgress();
        await run.ReachAsync(RunPlace.StepStored, name).ConfigureAwait(false);
        run.ThrowIfOver();
    }

    private async Task SaveAsync(ProgressTurn turn, string? step, byte[] data)
    {
        await turn.Before.ConfigureAwait(false);
        await AfterResetAsync().ConfigureAwait(false);
        run.ThrowIfFenced();
        var write = new ProgressWrite(Key, run.Fence, step, data) { Ordinal = turn.Ordinal };
        var isHeld = await run.RepeatWhileLeasedAsync(() => new ValueTask<bool>(shared.Progress.WriteAsync(run.Claim.Lease, write)))
            .ConfigureAwait(false);
        if (!isHeld)
        {
            throw run.EndAsLost();
        }
    }

    // If the last reset failed, it may still be on its way to the store, where it would remove what was stored after it. So whatever uses
    // the progress next repeats it, under the same ordinal: the store then accepts the late one without effect.
    private Task<bool> AfterResetAsync()
    {
        lock (_gate)
        {
            if (!HasResetFailed)
            {
                return _reset ?? NoReset;
            }
        }

        // Not under the lock: it may run callbacks of the handler.
        run.ThrowIfOver();
        lock (_gate)
        {
            if (HasResetFailed)
            {
                _reset = StoreResetAsync(_resetOrdinal);
            }

            return _reset!;
        }
    }

    private bool HasResetFailed => _reset is { IsFaulted: true } or { IsCanceled: true };

    // Returns false, and the reset that is under way, if a read is repeating the last one: that takes no turn.
    private bool TryBeginReset(long ordinal, out Task reset)
    {
        lock (_gate)
        {
            if (_reset is { IsCompleted: false })
            {
                reset = _reset;
                return false;
            }

            _resetOrdinal = ordinal;
            reset = _reset = StoreResetAsync(ordinal);
            return true;
        }
    }

    private async Task<bool> StoreResetAsync(long ordinal)
    {
        // It is called under the lock, and a lost claim runs callbacks of the handler.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (!await run.RepeatWhileLeasedAsync(
            () => shared.Store.ResetProgressAsync(run.NodeId, Key, run.Fence, ordinal, run.WhileQueued)).ConfigureAwait(false))
        {
            throw run.EndAsLost();
        }

        lock (_gate)
        {
            _usedSteps.Clear();
            (_stored, _loadedBytes, _checkpoint, _savedSteps, _savedBytes, _isReset) = (null, null, null, 0, 0, true);
        }

        return true;
    }

    // Called before the step runs, because its result could not be stored.
    private void ThrowIfFull(StoredProgress progress)
    {
        lock (_gate)
        {
            _loadedBytes ??= progress.Steps.Values.Sum(static step => (long)step.Length);
            var (steps, bytes) = (progress.Steps.Count + _savedSteps, _loadedBytes + _savedBytes);
            if (steps >= EntryLimits.MaxSteps || bytes >= EntryLimits.MaxStepBytes)
            {
                throw new InvalidOperationException(
                    $"Entry {run.Entry.Id} has {steps:N0} finished steps with {bytes:N0} bytes "
                    + $"of results, and at most {EntryLimits.MaxSteps:N0} with {EntryLimits.MaxStepBytes:N0} bytes are kept. "
                    + "Use a checkpoint for a loop, or divide the work into several entries.");
            }
        }
    }

    private void Use(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        NameRules.Step.Check(name, "The step", nameof(name));

        lock (_gate)
        {
            if (!_usedSteps.Add(name))
            {
                throw new InvalidOperationException(
                    $"The step '{name}' was used before in this run of entry {run.Entry.Id}. Give each step a name of its own, "
                    + "for example with a number in a loop.");
            }
        }
    }

    private Task<StoredProgress> LoadAsync()
    {
        lock (_gate)
        {
            if (_stored is null || _stored.IsFaulted || _stored.IsCanceled)
            {
                _stored = run.MayHaveProgress || _isReset
                    ? run.RepeatWhileLeasedAsync(() => shared.Store.LoadProgressAsync(Key, CancellationToken.None))
                    : None;
            }

            return _stored;
        }
    }
}
