using System.Data.Common;
using TaskRecovery.Workers;

namespace TaskRecovery;

/// <summary>What a worker knows of the entry that it works, and how it can end it.</summary>
public abstract class WorkContext
{
    private protected WorkContext(WorkRun run) => Run = run;

    /// <summary>The entry's id.</summary>
    public long EntryId => Run.Entry.Id;

    /// <summary>The claim this attempt runs under. It grows with every claim; pass it to other systems that can refuse a smaller one.</summary>
    public long Fence => Run.Fence;

    /// <summary>The entry's kind.</summary>
    public string Kind => Run.Entry.Kind;

    /// <summary>The entry's queue.</summary>
    public string Queue => Run.Queue;

    /// <summary>This attempt's number, from 1.</summary>
    public int Attempt => Run.Entry.Attempt;

    /// <summary>How many attempts the entry has.</summary>
    public int MaxAttempts => Run.Entry.MaxAttempts;

    /// <summary>How often a node died under the entry since it last made progress; above zero means that this run is a recovery.</summary>
    public int Crashes => Run.Entry.Crashes;

    /// <summary>When the entry was stored, by the database's clock.</summary>
    public DateTimeOffset CreatedAt => Run.Entry.CreatedAt;

    /// <summary>What was sent along.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Run.Metadata;

    /// <summary>Why the token was cancelled; <see cref="TaskRecovery.StopReason.None"/> while it has not.</summary>
    public StopReason StopReason => Run.StopReason;

    /// <summary>Cancelled as soon as the host begins to stop, before the handler's own token: a handler that can end early, or begins nothing long any more, shortens the stop. Its own token is
    /// cancelled when <see cref="TaskRecoveryOptions.ShutdownTimeout"/> is over.</summary>
    public CancellationToken Stopping => Run.Stopping;

    /// <summary>The services of this attempt's scope.</summary>
    public IServiceProvider Services => Run.Services;

    /// <summary>Stores <paramref name="result"/> as JSON with the outcome when the worker returns.</summary>
    /// <exception cref="ArgumentException">The result is larger than <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    public void SetResult<T>(T result) => Run.SetResult(result);

    /// <summary>After the worker returns, runs the entry again after <paramref name="delay"/>, without spending an attempt. Of several such calls the last one counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is below zero or over 36,500 days.</exception>
    public void Snooze(TimeSpan delay) => Run.Snooze(delay);

    /// <summary>After the worker returns, ends the entry as cancelled.</summary>
    public void Cancel(string reason) => Run.Cancel(reason);

    /// <summary>After the worker returns, ends the entry as failed, whatever attempts it has left.</summary>
    public void Fail(string reason) => Run.Fail(reason);

    /// <summary>Ends the entry as completed inside the worker's own transaction, so that its effects and its outcome commit together: exactly once.</summary>
    /// <remarks>Does nothing until <paramref name="transaction"/> commits. If the claim was lost it raises an error in the database, so that the transaction can't commit.</remarks>
    /// <exception cref="ClaimLostException">The entry is not this node's any more; the transaction is aborted.</exception>
    public Task CompleteAsync(DbTransaction transaction, CancellationToken cancellationToken = default) => Run.CompleteAsync(transaction, cancellationToken);

    /// <summary>Runs a step once: when the entry (or its task) runs again, a finished step returns its stored result instead.</summary>
    /// <typeparam name="T">The result, stored as JSON.</typeparam>
    /// <param name="name">The step's name, used once in a run. At most 200 bytes of UTF-8.</param>
    /// <param name="step">The work.</param>
    /// <param name="cancellationToken">Passed to <paramref name="step"/>.</param>
    /// <exception cref="InvalidOperationException">The name was used before in this run, or the entry has 10,000 finished steps, or 64 MiB of their results.</exception>
    /// <exception cref="ArgumentException">The name is empty, too long or has a NUL character, or the result is larger than <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    /// <exception cref="NotSupportedException">A value of <typeparamref name="T"/> would not read back as it was written: the step was not run.</exception>
    /// <exception cref="ClaimLostException">The entry is not this node's any more: the step was not run, or its result was not stored. Or the node's lease is over, for example because its process was stopped: what was stored counts, and the next run goes on from there.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the call was repeated while the lease lasted: the step may run again.</exception>
    public Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken = default)
        => Run.Progress.StepAsync(name, step, cancellationToken);

    /// <summary>Runs a step without a result once.</summary>
    /// <inheritdoc cref="StepAsync{T}"/>
    public Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken = default)
        => Run.Progress.StepAsync(name, step, cancellationToken);

    /// <summary>Stores where a loop has got to, for the next run of this entry (or its task). Once it is on its way to the store, a token that fires does not call it back: the round is done.</summary>
    /// <remarks>While the host is stopping the run ends here, as released: the checkpoint is stored, the handler's token is cancelled, and the call throws. The next run, on this node or another, continues from the checkpoint.</remarks>
    /// <exception cref="OperationCanceledException">The token had been cancelled before: nothing was stored. Or the host is stopping: the checkpoint is stored.</exception>
    /// <exception cref="ArgumentException">The checkpoint is larger than <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    /// <exception cref="ClaimLostException">The entry is not this node's any more, or the node is cut off or was stopped: do not go on. The next run goes on from what was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the call was repeated while the lease lasted.</exception>
    public Task SaveCheckpointAsync<T>(T checkpoint, CancellationToken cancellationToken = default)
        => Run.Progress.SaveCheckpointAsync(checkpoint, cancellationToken);

    /// <summary>Reads the last stored checkpoint; the type's default if there is none.</summary>
    /// <exception cref="ClaimLostException">The node is cut off or was stopped: do not go on.</exception>
    /// <exception cref="StoreUnavailableException">The database could not be read.</exception>
    public Task<T?> GetCheckpointAsync<T>(CancellationToken cancellationToken = default) => Run.Progress.GetCheckpointAsync<T>(cancellationToken);

    /// <summary>Removes the finished steps and the checkpoint of this entry (or its task), so that they run again: for a handler that has undone their effects. Names used before in this run may be used again.</summary>
    /// <exception cref="ClaimLostException">The entry is not this node's any more: nothing was removed.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the call was repeated while the lease lasted.</exception>
    public Task ResetStepsAsync(CancellationToken cancellationToken = default) => Run.Progress.ResetAsync(cancellationToken);

    /// <summary>The run, which all of this is about.</summary>
    internal WorkRun Run { get; }
}

/// <summary>What a worker knows of the entry that it works, with its arguments.</summary>
/// <typeparam name="TArgs">The arguments.</typeparam>
public class WorkContext<TArgs> : WorkContext
    where TArgs : notnull
{
    internal WorkContext(WorkRun run, TArgs args)
        : base(run)
        => Args = args;

    /// <summary>The arguments.</summary>
    public TArgs Args { get; }
}
