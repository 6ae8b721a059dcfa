namespace TaskRecovery.Workers;

/// <summary>The place of one write among the writes of its run. The write is sent when <paramref name="before"/> has ended; disposing of
/// the turn lets the next ones begin.</summary>
/// <param name="ordinal">The number of the write. A repetition keeps it.</param>
/// <param name="before">Ends when the writes that this one may not overtake have been answered or given up. It never fails.</param>
internal sealed class ProgressTurn(long ordinal, Task before)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), IDisposable
{
    public long Ordinal => ordinal;

    public Task Before => before;

    public void Dispose() => TrySetResult();
}
