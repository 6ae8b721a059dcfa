using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Decides how a run ended.</summary>
internal static class OutcomePolicy
{
    internal const int MaxErrorChars = 8_000;

    // A store that is not there is no reason to spend an attempt; nor is it one to claim the entry again and again meanwhile.
    private static readonly TimeSpan StoreWait = TimeSpan.FromSeconds(1);

    /// <summary>The outcome to store; <see langword="null"/> if the store has refused this claim before, so that there is nothing to say.</summary>
    /// <param name="run">The run, whose handler has returned.</param>
    /// <param name="exception">What it threw.</param>
    /// <param name="maxCrashes">From the options: what goes back to the queue needs it.</param>
    public static RunOutcome? Decide(WorkRun run, Exception? exception, int maxCrashes)
    {
        if (run.IsFenced)
        {
            return null;
        }

        // One rule, whatever the token was cancelled for: a handler that returns has done its work.
        var reason = run.StopReason;
        if (reason == StopReason.TimedOut && exception is not null && !run.CompletedInTransaction)
        {
            exception = new TimeoutException($"The attempt ran over its time limit of {run.TimeLimit} and was cancelled.", exception);
        }
        else if (exception is null && run.CompletedInTransaction)
        {
            // If the transaction committed, the store has the completion under this fence already and takes this as a repetition of it.
            exception = new InvalidOperationException("The worker called CompleteAsync, but the transaction it passed was not committed.");
        }

        if (exception is null)
        {
            return run.EndRequest is { } end
                ? Outcome(run, end.Kind, maxCrashes, end.Reason, end.Error, end.Delay)
                : Outcome(run, OutcomeKind.Completed, maxCrashes);
        }

        return reason switch
        {
            StopReason.Shutdown or StopReason.ClaimLost => Outcome(run, OutcomeKind.Released, maxCrashes),
            StopReason.Cancelled => Outcome(run, OutcomeKind.Cancelled, maxCrashes, EndReasons.CancelRequested),
            _ => IsStoreFailure(exception)
                ? Outcome(run, OutcomeKind.Released, maxCrashes, reason: null, error: Describe(exception), delay: StoreWait)
                : Failure(run, exception, maxCrashes),
        };
    }

    /// <summary>The outcome of an entry that was not started, or that is released while its handler goes on.</summary>
    public static RunOutcome Unworked(ClaimedEntry entry, HeldClaim claim, bool isTask, OutcomeKind kind, int maxCrashes) => new()
    {
        EntryId = entry.Id,
        Fence = claim.Fence,
        Kind = kind,
        Reason = kind == OutcomeKind.Cancelled ? EndReasons.CancelRequested : null,
        MaxCrashes = maxCrashes,
        HasUniqueKey = entry.HasUniqueKey,
        IsTask = isTask,
    };

    /// <summary>The outcome of an entry whose row can't be read.</summary>
    public static RunOutcome Unreadable(ClaimedEntry entry, HeldClaim claim, bool isTask, string problem) => new()
    {
        EntryId = entry.Id,
        Fence = claim.Fence,
        Kind = OutcomeKind.Failed,
        Reason = EndReasons.Unreadable,
        Error = EntryText.Storable($"The entry's row can't be read: {problem}", MaxErrorChars),
        HasUniqueKey = entry.HasUniqueKey,
        IsTask = isTask,
    };

    /// <summary>The outcome of an attempt in which something else than the handler failed, so that no other outcome was decided.</summary>
    public static RunOutcome Broken(ClaimedEntry entry, HeldClaim claim, bool isTask, Exception exception, int maxCrashes)
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
            MaxCrashes = maxCrashes,
            HasUniqueKey = entry.HasUniqueKey,
            IsTask = isTask,
        };
    }

    /// <summary>The same outcome without what the store refused: it says so in place of the text, and ends the run as before.</summary>
    public static RunOutcome WithoutText(RunOutcome outcome, Exception refused)
        => Copy(outcome, $"The {(outcome.Result.IsEmpty ? "error's text" : "result")} could not be stored ({Ascii(refused.Message)}).", result: default);

    /// <summary>The same outcome with another text of its error.</summary>
    public static RunOutcome WithError(RunOutcome outcome, string error) => Copy(outcome, error, outcome.Result);

    private static RunOutcome Copy(RunOutcome outcome, string error, ReadOnlyMemory<byte> result) => new()
    {
        EntryId = outcome.EntryId,
        Fence = outcome.Fence,
        Kind = outcome.Kind,
        Reason = outcome.Reason,
        Result = result,
        Error = error,
        Delay = outcome.Delay,
        MaxCrashes = outcome.MaxCrashes,
        Duration = outcome.Duration,
        HasUniqueKey = outcome.HasUniqueKey,
        IsTask = outcome.IsTask,
    };

    // Only the exception itself: what an application makes of a failed call is the application's failure.
    private static bool IsStoreFailure(Exception exception)
        => exception is StoreUnavailableException || (exception is AggregateException { InnerExceptions: [var only] } && IsStoreFailure(only));

    private static string Ascii(string text) => string.Concat(text.Take(500).Select(static character => character is >= ' ' and <= '~' ? character : '?'));

    private static RunOutcome Failure(WorkRun run, Exception exception, int maxCrashes)
    {
        // Arguments that this node can't read may be fine for a node of another version, so they are tried again like any failure.
        var isInvalid = exception is InvalidArgsException;
        var error = isInvalid ? EntryText.Storable(exception.Message, MaxErrorChars) : Describe(exception);
        return run.Entry.Attempt >= run.Entry.MaxAttempts
            ? Outcome(run, OutcomeKind.Failed, maxCrashes, isInvalid ? EndReasons.InvalidArgs : EndReasons.AttemptsExhausted, error)
            : Outcome(run, OutcomeKind.Retried, maxCrashes, reason: null, error, Delay(run, exception));
    }

    // Whatever the user's exception does when it is asked for its text: the attempt is stored.
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
            wanted = run.Kind.Runner?.NextRetry(run, exception);
        }
        catch (Exception)
        {
            // The worker's own policy failed while handling a failure: the default one is always there.
        }

        return wanted is { } delay && delay >= TimeSpan.Zero
            ? TimeSpan.FromTicks(Math.Min(delay.Ticks, EntryLimits.LongestDelay.Ticks))
            : RetryPolicy.Delay(run.Entry.Attempt, run.Kind.Options, Random.Shared.NextDouble());
    }

    private static RunOutcome Outcome(WorkRun run, OutcomeKind kind, int maxCrashes, string? reason = null, string? error = null, TimeSpan delay = default) => new()
    {
        EntryId = run.Entry.Id,
        Fence = run.Fence,
        Kind = kind,
        Result = kind == OutcomeKind.Completed ? run.Result : default,
        Error = error is null ? null : EntryText.Storable(error, MaxErrorChars),
        Reason = reason,
        Delay = delay,
        MaxCrashes = maxCrashes,
        Duration = run.Duration,
        HasUniqueKey = run.Entry.HasUniqueKey,
        IsTask = run.Kind.Registration.IsTask,
    };
}
