using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Rules;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>Receives how claimed entries end: logs it, and passes the outcome on to be stored. It never waits for the store.</summary>
internal sealed class OutcomeSink(
    OutcomeWriter writer, KindRegistry kinds, SuspectLimiter suspects, IOptions<TaskRecoveryOptions> options, ILogger<OutcomeSink> logger)
{
    private readonly ILogger _logger = logger.Guarded();
    private readonly Func<string, string>? _redactError = options.Value.RedactError;

    /// <summary>Whether the store is so far behind that nothing more should be claimed.</summary>
    public bool IsOverloaded => writer.IsOverloaded;

    /// <summary>Ends a run whose handler has returned, unless its outcome was reported before.</summary>
    public void End(WorkRun run, Activity? activity, Exception? exception)
    {
        if (!run.TryTakeOutcome())
        {
            return;
        }

        var decided = run.Outcome;
        if (decided is null && !run.IsFenced)
        {
            // The failure is not the handler's. If the host is disposed, it can't create scopes: the handler has not run, so release the
            // entry without spending an attempt.
            var failure = exception ?? new InvalidOperationException("The run ended without an outcome.");
            decided = failure is ObjectDisposedException && !run.HasScope
                ? OutcomePolicy.WithoutHandler(run.Entry, run.Claim, run.Kind.Registration.IsTask, OutcomeKind.Released)
                : OutcomePolicy.Broken(run.Entry, run.Claim, run.Kind.Registration.IsTask, failure);
            decided = decided with { IsStartAnswered = run.IsStartAnswered };
        }

        if (decided is not { } outcome)
        {
            Tracing.Finish(activity, OutcomeKind.Lost, exception);
            run.ReportEnd(OutcomeKind.Lost, exception);
            var released = OutcomePolicy.WithoutHandler(run.Entry, run.Claim, isTask: false, OutcomeKind.Released);
            writer.Drop(Pending(run.Entry, run.Claim, released));
            return;
        }

        var counted = run.CompletedInTransaction && exception is null ? OutcomeKind.Completed : outcome.Kind;
        Tracing.Finish(activity, counted, exception);
        Log(run, outcome, counted, exception);
        run.ReportEnd(counted, exception);
        writer.Add(Pending(run.Entry, run.Claim, outcome) with
        {
            ErrorType = IsError(counted) ? exception?.GetType().FullName : null,
            Counted = counted,
            IsAfterTransaction = run.CompletedInTransaction,
        });
    }

    /// <summary>Ends an entry that has not run.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="claim">Its claim.</param>
    /// <param name="kind">How it ends.</param>
    /// <param name="after">A call of the store about this entry that has to end first.</param>
    public void EndWithoutHandler(ClaimedEntry entry, NodeClaim claim, OutcomeKind kind, Task? after = null)
        => EndUnstarted(entry, claim, OutcomePolicy.WithoutHandler(entry, claim, IsTask(entry), kind), after);

    /// <summary>Releases the entry of a run without waiting for its handler.</summary>
    public void GiveUp(WorkRun run)
    {
        var outcome = OutcomePolicy.GivenUp(run.Entry, run.Claim, IsTask(run.Entry)) with { IsStartAnswered = run.IsStartAnswered };
        End(run.Entry, run.Claim, outcome, run.CompletedInTransaction);
    }

    /// <summary>Ends an entry that may no longer start.</summary>
    public void EndExpired(ClaimedEntry entry, NodeClaim claim, Task? after)
    {
        var outcome = OutcomePolicy.WithoutHandler(entry, claim, IsTask(entry), OutcomeKind.Cancelled, EndReasons.Expired);
        EndUnstarted(entry, claim, outcome, after);
    }

    /// <summary>Ends an entry whose row can't be read.</summary>
    public void EndUnreadable(ClaimedEntry entry, NodeClaim claim, Task? after)
    {
        _logger.EntryUnreadable(entry.Id, entry.Problem!);
        EndUnstarted(entry, claim, OutcomePolicy.Unreadable(entry, claim, isTask: true, entry.Problem!), after);
    }

    /// <summary>Ends an attempt that failed outside its handler.</summary>
    public void EndBroken(ClaimedEntry entry, NodeClaim claim, Exception exception)
    {
        _logger.RunBroken(entry.Id, entry.Kind, exception);
        End(entry, claim, OutcomePolicy.Broken(entry, claim, IsTask(entry), exception));
    }

    // If no start was asked for, none can be under way in the store: the outcome does not wait for the job.
    private void EndUnstarted(ClaimedEntry entry, NodeClaim claim, RunOutcome outcome, Task? after)
        => End(entry, claim, outcome with { IsStartAnswered = after is null }, after: after);

    private void End(ClaimedEntry entry, NodeClaim claim, RunOutcome outcome, bool afterTransaction = false, Task? after = null)
    {
        var pending = Pending(entry, claim, outcome);
        if (claim.Lease.Node.End is NodeEnd.DeclaredDead or NodeEnd.LostCommits)
        {
            writer.Drop(pending);
        }
        else
        {
            writer.Add(pending with { IsAfterTransaction = afterTransaction, After = after });
        }
    }

    private PendingOutcome Pending(ClaimedEntry entry, NodeClaim claim, RunOutcome outcome)
        => new(Redacted(outcome), claim, entry.Kind, suspects.Of(entry.Crashes));

    private bool IsTask(ClaimedEntry entry) => kinds.Find(entry.Kind)?.Registration.IsTask ?? false;

    private RunOutcome Redacted(RunOutcome outcome)
        => _redactError is { } redact && outcome.Error is { } error ? OutcomePolicy.WithError(outcome, Redact(redact, error)) : outcome;

    private static string Redact(Func<string, string> redact, string error)
    {
        try
        {
            return EntryText.Storable(
                redact(error) ?? $"The error's text was withheld: {nameof(TaskRecoveryOptions.RedactError)} returned null.",
                OutcomePolicy.MaxErrorChars);
        }
        catch (Exception exception)
        {
            return $"The error's text was withheld: {nameof(TaskRecoveryOptions.RedactError)} threw {exception.GetType()}.";
        }
    }

    private void Log(WorkRun run, RunOutcome outcome, OutcomeKind counted, Exception? exception)
    {
        if (counted == OutcomeKind.Retried && exception is not null)
        {
            _logger.AttemptFailed(run.Entry.Id, run.Entry.Kind, run.Entry.Attempt, run.Entry.MaxAttempts, outcome.Delay, exception);
        }
        else if (counted == OutcomeKind.Failed)
        {
            _logger.EntryFailed(run.Entry.Id, run.Entry.Kind, run.Entry.Attempt, outcome.Reason, outcome.Error);
        }
        else if (exception is not null && run.IsStoreFailure(exception) && run.StopReason == StopReason.None)
        {
            _logger.StoreFailedRun(run.Entry.Id, run.Entry.Kind, outcome.Delay, exception);
        }
        else if (counted == OutcomeKind.Completed && run.StopReason is StopReason.Shutdown or StopReason.TimedOut)
        {
            _logger.CompletedAfterCancel(run.Entry.Id, run.Entry.Kind, run.StopReason);
        }
    }

    // A requested cancellation and a released run are not errors, although the handler threw an exception.
    private static bool IsError(OutcomeKind counted) => counted is OutcomeKind.Failed or OutcomeKind.Retried;
}
