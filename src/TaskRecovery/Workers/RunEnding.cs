using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Decides how a run ended.</summary>
internal static class RunEnding
{
    internal const int MaxErrorChars = 8_000;

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

        var reason = run.StopReason;
        if (reason == StopReason.TimedOut && !run.CompletedInTransaction)
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
            _ => Failure(run, exception, maxCrashes),
        };
    }

    /// <summary>The outcome of an entry that was not started, or that is given back while its handler goes on.</summary>
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

    private static RunOutcome Failure(WorkRun run, Exception exception, int maxCrashes)
    {
        var error = EntryText.Storable(Describe(exception), MaxErrorChars);
        if (exception is InvalidArgsException)
        {
            return Outcome(run, OutcomeKind.Failed, maxCrashes, EndReasons.InvalidArgs, EntryText.Storable(exception.Message, MaxErrorChars));
        }

        return run.Entry.Attempt >= run.Entry.MaxAttempts
            ? Outcome(run, OutcomeKind.Failed, maxCrashes, EndReasons.AttemptsExhausted, error)
            : Outcome(run, OutcomeKind.Retried, maxCrashes, reason: null, error, Delay(run, exception));
    }

    private static string Describe(Exception exception)
    {
        try
        {
            return exception.ToString();
        }
        catch (Exception second)
        {
            // An exception of the user's whose text throws: what it is can be said all the same.
            return $"{exception.GetType()} (its text could not be read: {second.GetType()})";
        }
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
