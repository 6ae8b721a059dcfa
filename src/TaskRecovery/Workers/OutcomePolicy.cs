using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Decides the outcome of a run.</summary>
internal static class OutcomePolicy
{
    internal const int MaxErrorChars = 8_000;

    /// <summary>Decides the outcome to store; <see langword="null"/> if the store has refused this claim before, so that nothing is
    /// stored.</summary>
    /// <param name="run">The run, whose handler has returned.</param>
    /// <param name="exception">The exception that the handler threw; <see langword="null"/> if it returned normally.</param>
    public static RunOutcome? Decide(WorkRun run, Exception? exception)
    {
        if (run.IsFenced)
        {
            return null;
        }

        // Whatever the reason of the cancellation: if the handler returns normally, its work is done.
        var reason = run.StopReason;
        if (reason == StopReason.TimedOut && exception is not null && !run.CompletedInTransaction)
        {
            exception = new TimeoutException($"The attempt ran over its time limit of {run.TimeLimit} and was cancelled.", exception);
        }
        else if (exception is null && run.CompletedInTransaction)
        {
            // If the transaction was committed, the store has a completion with this fence, and treats this outcome as a repetition of it.
            exception = new InvalidOperationException("The worker called CompleteAsync, but the transaction it passed was not committed.");
        }

        if (exception is null)
        {
            return run.EndRequest is { } end
                ? Outcome(run, end.Kind, end.Reason, end.Error, end.Delay)
                : Outcome(run, OutcomeKind.Completed);
        }

        if (reason == StopReason.None && exception is OperationCanceledException && run.Stopping.IsCancellationRequested)
        {
            // The handler has observed Stopping, which is cancelled before its own token.
            reason = StopReason.Shutdown;
        }

        return reason switch
        {
            StopReason.Shutdown or StopReason.ClaimLost => Outcome(run, OutcomeKind.Released),
            StopReason.Cancelled => Outcome(run, OutcomeKind.Cancelled, EndReasons.CancelRequested),
            _ => run.IsStoreFailure(exception)
                ? Outcome(run, OutcomeKind.Released, reason: null, error: Describe(exception), delay: StoreFailures.WaitAfter(exception))
                : Failure(run, exception),
        };
    }

    /// <summary>The outcome of an entry that was not started.</summary>
    public static RunOutcome WithoutHandler(
        ClaimedEntry entry, NodeClaim claim, bool isTask, OutcomeKind kind, string cancelled = EndReasons.CancelRequested)
        => Without(entry, claim, isTask, kind, kind == OutcomeKind.Cancelled ? cancelled : EndReasons.NotStarted);

    /// <summary>The outcome of an entry that is released while its handler still runs.</summary>
    public static RunOutcome GivenUp(ClaimedEntry entry, NodeClaim claim, bool isTask)
        => Without(entry, claim, isTask, OutcomeKind.Released, reason: null);

    /// <summary>The outcome of an entry whose row can't be read.</summary>
    public static RunOutcome Unreadable(ClaimedEntry entry, NodeClaim claim, bool isTask, string problem) => new()
    {
        EntryId = entry.Id,
        Fence = claim.Fence,
        Kind = OutcomeKind.Failed,
        Reason = EndReasons.Unreadable,
        Error = EntryText.Storable($"The entry's row can't be read: {problem}", MaxErrorChars),
        HasUniqueKey = entry.HasUniqueKey,
        IsTask = isTask,
    };

    /// <summary>The outcome of an attempt that failed outside its handler, so that no other outcome was decided.</summary>
    public static RunOutcome Broken(ClaimedEntry entry, NodeClaim claim, bool isTask, Exception exception)
    {
        var isLast = entry.Attempt >= entry.MaxAttempts;
        return new RunOutcome
        {
            EntryId = entry.Id,
            Fence = claim.Fence,
            Kind = isLast ? OutcomeKind.Failed : OutcomeKind.Retried,
            Reason = isLast ? EndReasons.AttemptsExhausted : null,
            Error = Describe(exception),
            Delay = isLast ? TimeSpan.Zero : RetryPolicy.Delay(entry.Attempt, new WorkerOptions(), Random.Shared.NextDouble()),
            HasUniqueKey = entry.HasUniqueKey,
            IsTask = isTask,
        };
    }

    /// <summary>The same outcome without the value that the store refused. A text in its place says so; how the run ended stays the
    /// same.</summary>
    public static RunOutcome WithoutText(RunOutcome outcome, Exception refused)
        => outcome with
        {
            Error = $"The {(outcome.Result.IsEmpty ? "error's text" : "result")} could not be stored ({Ascii(refused.Message)}).",
            Result = default,
        };

    /// <summary>The same outcome with another error text.</summary>
    public static RunOutcome WithError(RunOutcome outcome, string error) => outcome with { Error = error };

    private static RunOutcome Without(ClaimedEntry entry, NodeClaim claim, bool isTask, OutcomeKind kind, string? reason) => new()
    {
        EntryId = entry.Id,
        Fence = claim.Fence,
        Kind = kind,
        Reason = reason,
        HasUniqueKey = entry.HasUniqueKey,
        IsTask = isTask,
    };

    private static string Ascii(string text)
        => string.Concat(text.Take(500).Select(static character => character is >= ' ' and <= '~' ? character : '?'));

    private static RunOutcome Failure(WorkRun run, Exception exception)
    {
        // A node of another version may be able to read these arguments, so the entry is retried like after any other failure.
        var isInvalid = exception is InvalidArgsException;
        var error = isInvalid ? EntryText.Storable(exception.Message, MaxErrorChars) : Describe(exception);
        return run.Entry.Attempt >= run.Entry.MaxAttempts
            ? Outcome(run, OutcomeKind.Failed, isInvalid ? EndReasons.InvalidArgs : EndReasons.AttemptsExhausted, error)
            : Outcome(run, OutcomeKind.Retried, reason: null, error, Delay(run, exception));
    }

    // The user's exception may throw in ToString; the attempt must be stored anyway.
    private static string Describe(Exception exception)
    {
        var problem = "null";
        try
        {
            if (exception.ToString() is { } text)
            {
                return EntryText.Storable(text, MaxErrorChars);
            }
        }
        catch (Exception second)
        {
            problem = second.GetType().ToString();
        }

        return $"{exception.GetType()} (its text could not be read: {problem})";
    }

    private static TimeSpan Delay(WorkRun run, Exception exception)
    {
        TimeSpan? wanted = null;
        try
        {
            wanted = run.Runner.NextRetry(run, exception);
        }
        catch (Exception)
        {
            // The worker's own retry policy threw; use the default delay.
        }

        return wanted is { } delay && delay >= TimeSpan.Zero
            ? TimeSpan.FromTicks(Math.Min(delay.Ticks, EntryLimits.LongestDelay.Ticks))
            : RetryPolicy.Delay(run.Entry.Attempt, run.Kind.Options, Random.Shared.NextDouble());
    }

    private static RunOutcome Outcome(WorkRun run, OutcomeKind kind, string? reason = null, string? error = null, TimeSpan delay = default)
        => new()
        {
            EntryId = run.Entry.Id,
            Fence = run.Fence,
            Kind = kind,
            Result = kind == OutcomeKind.Completed ? run.Result : default,
            Error = error is null ? null : EntryText.Storable(error, MaxErrorChars),
            Reason = reason,
            Delay = delay,
            Duration = run.Duration,
            HasUniqueKey = run.Entry.HasUniqueKey,
            IsTask = run.Kind.Registration.IsTask,
            IsStartAnswered = run.IsStartAnswered,
        };
}
