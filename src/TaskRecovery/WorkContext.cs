using System.Data.Common;
using TaskRecovery.Workers;

namespace TaskRecovery;

/// <summary>The entry that a worker runs, with methods to store progress and to end the entry.</summary>
public abstract class WorkContext
{
    private protected WorkContext(WorkRun run) => Run = run;

    /// <summary>The id of the entry.</summary>
    public long EntryId => Run.Entry.Id;

    /// <summary>The fence (claim id) of this attempt. It grows with every claim. Pass it to external systems that can reject writes with a
    /// smaller fence, to protect them from a stale worker.</summary>
    public long Fence => Run.Fence;

    /// <summary>The kind of the entry.</summary>
    public string Kind => Run.Entry.Kind;

    /// <summary>The name of the instance of TaskRecovery that runs the entry; <see langword="null"/> for the one without a name.</summary>
    /// <remarks>An <see cref="IJobQueue"/> that a worker takes without a key belongs to the instance without a name, also in a run of a
    /// named one. <c>Services.GetRequiredKeyedService&lt;IJobQueue&gt;(context.Instance)</c> is the queue of the instance that runs the
    /// entry, whichever it is.</remarks>
    public string? Instance => Run.Instance;

    /// <summary>The queue of the entry.</summary>
    public string Queue => Run.Queue;

    /// <summary>The number of this attempt, starting at 1.</summary>
    public int Attempt => Run.Entry.Attempt;

    /// <summary>The maximum number of attempts of the entry.</summary>
    public int MaxAttempts => Run.Entry.MaxAttempts;

    /// <summary>The number of nodes that died while they held the entry, since it last made progress. Above zero, this run is a
    /// recovery.</summary>
    public int Crashes => Run.Entry.Crashes;

    /// <summary>The time at which the entry was stored, by the database's clock.</summary>
    public DateTimeOffset CreatedAt => Run.Entry.CreatedAt;

    /// <summary>The application-defined metadata of the entry; empty if there are none (see
    /// <see cref="EnqueueOptions.Metadata"/>).</summary>
    public IReadOnlyDictionary<string, string> Metadata => Run.Metadata;

    /// <summary>The reason why the token was cancelled; <see cref="TaskRecovery.StopReason.None"/> if it is not cancelled.</summary>
    public StopReason StopReason => Run.StopReason;

    /// <summary>A token that is cancelled as soon as the host begins to stop. The token passed to the handler is cancelled later, when
    /// <see cref="TaskRecoveryOptions.ShutdownTimeout"/> has passed.</summary>
    /// <remarks>A handler that ends early because of it must say that it is not done: let an <see cref="OperationCanceledException"/>
    /// leave it, call <see cref="Snooze"/> with <see cref="TimeSpan.Zero"/> before it returns, or save a checkpoint. None of these spends
    /// an attempt. If the handler just returns, its entry is completed.</remarks>
    public CancellationToken Stopping => Run.Stopping;

    /// <summary>The services of the dependency injection scope of this attempt.</summary>
    public IServiceProvider Services => Run.Services;

    /// <summary>Sets the result, which is stored as JSON with the outcome when the worker returns.</summary>
    /// <exception cref="ArgumentException">The result is larger than <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    /// <exception cref="System.Text.Json.JsonException">The result has a text with a NUL character.</exception>
    public void SetResult<T>(T result) => Run.SetResult(result);

    /// <summary>When the worker returns, reschedules the entry to run again after <paramref name="delay"/>, without spending an attempt. Of
    /// several calls, the last one counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is below zero or over 36,500 days.</exception>
    public void Snooze(TimeSpan delay) => Run.Snooze(delay);

    /// <summary>When the worker returns, ends the entry as cancelled. Its <see cref="QueueEntry.Reason"/> is
    /// <see cref="EndReasons.CancelledByWorker"/>.</summary>
    /// <param name="why">A text for people, stored as <see cref="QueueEntry.Error"/>, after
    /// <see cref="TaskRecoveryOptions.RedactError"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="why"/> is empty or consists of white space.</exception>
    public void Cancel(string why) => Run.Cancel(why);

    /// <summary>When the worker returns, ends the entry as failed, even if attempts are left. Its <see cref="QueueEntry.Reason"/> is
    /// <see cref="EndReasons.FailedForGood"/>.</summary>
    /// <param name="error">A text for people, stored as <see cref="QueueEntry.Error"/>, after
    /// <see cref="TaskRecoveryOptions.RedactError"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="error"/> is empty or consists of white space.</exception>
    public void Fail(string error) => Run.Fail(error);

    /// <summary>Completes the entry in the worker's own transaction, so that its effects and its outcome commit atomically, exactly
    /// once.</summary>
    /// <remarks>Takes effect when <paramref name="transaction"/> commits. If the claim is lost, the call raises an error in the database,
    /// so that the transaction can't commit.</remarks>
    /// <exception cref="ArgumentException">The transaction is not open, is not of the store's type or is on another database; or, on
    /// PostgreSQL, an earlier statement in it failed and it was not rolled back to a savepoint.</exception>
    /// <exception cref="InvalidOperationException">On PostgreSQL: another command runs on the transaction's connection.</exception>
    /// <exception cref="ClaimLostException">This node no longer holds the claim. The transaction is aborted.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write. Roll back.</exception>
    public Task CompleteAsync(DbTransaction transaction, CancellationToken cancellationToken = default)
        => Run.CompleteAsync(transaction, cancellationToken);

    /// <summary>Runs a step once. When the entry or its task runs again, a finished step is not repeated: its stored result is
    /// returned.</summary>
    /// <typeparam name="T">The type of the result, which is stored as JSON.</typeparam>
    /// <param name="name">The name of the step, unique within a run. At most 200 bytes of UTF-8.</param>
    /// <param name="step">The work of the step. For a call that returns a <see cref="ValueTask"/> write
    /// <c>async token => await queue.EnqueueAsync(args, token)</c>.</param>
    /// <param name="cancellationToken">Passed to <paramref name="step"/>.</param>
    /// <exception cref="InvalidOperationException">The name was already used in this run, or the limit of 10,000 finished steps or 64 MiB
    /// of step results is reached.</exception>
    /// <exception cref="ArgumentException">The name is empty or blank, has more than 200 bytes of UTF-8, or has a control character, a
    /// bidirectional formatting character or half of a surrogate pair; or the result is larger than
    /// <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    /// <exception cref="NotSupportedException">A value of <typeparamref name="T"/> would not survive a round trip through JSON. The step
    /// was not run.</exception>
    /// <exception cref="ClaimLostException">This node no longer holds the claim, and the step was not run or its result was not stored. Or
    /// the node's lease has expired, for example because the process was suspended: a stored result counts, and the next run resumes after
    /// it.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the write was retried until the lease expired.
    /// The step may run again.</exception>
    public Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken = default)
        => Run.Progress.StepAsync(name, step, cancellationToken);

    /// <summary>Runs a step without a result once. When the entry or its task runs again, a finished step is not repeated.</summary>
    /// <inheritdoc cref="StepAsync{T}"/>
    public Task StepAsync(string name, Func<CancellationToken, Task> step, CancellationToken cancellationToken = default)
        => Run.Progress.StepAsync(name, step, cancellationToken);

    /// <summary>Stores a checkpoint, from which the next run of this entry or its task can resume. It replaces the previous checkpoint.
    /// Once the write has begun, cancelling the token does not abort it.</summary>
    /// <remarks>If the host is stopping, the call ends the run: it stores the checkpoint, cancels the handler's token and throws, and the
    /// entry is released. The next run, on any node, resumes from the checkpoint.</remarks>
    /// <exception cref="OperationCanceledException">The token was cancelled before the write began, and nothing was stored. Or the host is
    /// stopping, and the checkpoint is stored.</exception>
    /// <exception cref="ArgumentException">The checkpoint is larger than <see cref="TaskRecoveryOptions.MaxResultBytes"/>.</exception>
    /// <exception cref="ClaimLostException">This node no longer holds the claim, lost its connection to the store, or was suspended. Stop
    /// working; the next run resumes from the last stored checkpoint.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the write was retried until the lease
    /// expired.</exception>
    public Task SaveCheckpointAsync<T>(T checkpoint, CancellationToken cancellationToken = default)
        => Run.Progress.SaveCheckpointAsync(checkpoint, cancellationToken);

    /// <summary>Reads the last stored checkpoint. Returns the default of <typeparamref name="T"/> if there is none.</summary>
    /// <exception cref="ClaimLostException">The node lost its connection to the store or was suspended. Stop working.</exception>
    /// <exception cref="StoreUnavailableException">The database could not be read.</exception>
    public Task<T?> GetCheckpointAsync<T>(CancellationToken cancellationToken = default)
        => Run.Progress.GetCheckpointAsync<T>(cancellationToken);

    /// <summary>Reports how far the work is, for operators. It is stored at most once a second: a call within a second of the last stored
    /// one does nothing, except if <paramref name="done"/> equals <paramref name="total"/>. The work does not depend on it: if the store is
    /// not available, the report is lost and the call succeeds.</summary>
    /// <param name="done">How much is done.</param>
    /// <param name="total">How much there is to do; <see langword="null"/> if it is not known.</param>
    /// <param name="message">What the worker is doing. Cut after 500 characters.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below zero.</exception>
    public Task ReportProgressAsync(long done, long? total = null, string? message = null, CancellationToken cancellationToken = default)
        => Run.Reports.ReportAsync(done, total, message, cancellationToken);

    /// <summary>Removes the finished steps and the checkpoint of this entry or its task, so that the steps run again. For handlers that
    /// have undone the effects of their steps. Step names used in this run may be used again.</summary>
    /// <exception cref="ClaimLostException">This node no longer holds the claim. Nothing was removed.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm, although the write was retried until the lease expired. If
    /// the handler continues, the next step or checkpoint that it uses repeats the removal first.</exception>
    public Task ResetStepsAsync(CancellationToken cancellationToken = default) => Run.Progress.ResetAsync(cancellationToken);

    /// <summary>The run that this context belongs to.</summary>
    internal WorkRun Run { get; }
}

/// <summary>The entry that a worker runs, with its arguments.</summary>
/// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
public class WorkContext<TArgs> : WorkContext
    where TArgs : notnull
{
    internal WorkContext(WorkRun run, TArgs args)
        : base(run)
        => Args = args;

    /// <summary>The arguments of the entry.</summary>
    public TArgs Args { get; }
}
