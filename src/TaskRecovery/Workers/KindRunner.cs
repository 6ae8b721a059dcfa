using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Runs the entries of one kind: reads the arguments, creates the context, and calls the pipeline that ends in the
/// worker.</summary>
internal abstract class KindRunner
{
    /// <summary>Whether <see cref="TryBeginEarly"/> does anything.</summary>
    public virtual bool BeginsEarly => false;

    /// <summary>Begins what an entry needs before its handler, because a slot will be free for it in a few milliseconds. The run takes the
    /// result from <see cref="WorkRun.Early"/>. Does not wait and does not throw.</summary>
    /// <returns><see langword="false"/> if there is nothing to begin.</returns>
    public virtual bool TryBeginEarly(ClaimedEntry entry, NodeClaim claim, [NotNullWhen(true)] out Task? work)
    {
        work = null;
        return false;
    }

    /// <summary>Runs one entry in its scope. If it returns, the outcome is the one requested with <see cref="WorkRun.End"/>, or completed
    /// if there is none; an exception is a failure.</summary>
    /// <exception cref="InvalidArgsException">The arguments could not be read.</exception>
    public abstract Task RunAsync(WorkRun run, CancellationToken cancellationToken);

    /// <summary>The delay before the next attempt as chosen by the worker; <see langword="null"/> for the default.</summary>
    public abstract TimeSpan? NextRetry(WorkRun run, Exception exception);
}
