using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing;

/// <summary>Stops a run at a chosen place.</summary>
public static class WorkerTestOptionsExtensions
{
    /// <summary>Cancels the handler's token when the run reaches a place.</summary>
    /// <param name="options">The options to change.</param>
    /// <param name="reason">The reason. With <see cref="StopReason.Shutdown"/>, <see cref="WorkContext.Stopping"/> is cancelled too. With
    /// <see cref="StopReason.ClaimLost"/>, the store refuses the run's writes from then on, as if another node had taken over the
    /// entry.</param>
    /// <param name="at">The place, for example <c>Place.InStep("send")</c>. If the run does not reach it, the test fails.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reason"/> is <see cref="StopReason.None"/>.</exception>
    public static TOptions Cancel<TOptions>(this TOptions options, StopReason reason, Place at)
        where TOptions : WorkerTestOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        if (reason == StopReason.None || !Enum.IsDefined(reason))
        {
            throw new ArgumentOutOfRangeException(
                nameof(reason), reason, "A token is cancelled for a reason: use Shutdown, Cancelled, TimedOut or ClaimLost.");
        }

        WorkerTestOptions changed = options with { Stops = [.. options.Stops, new PlannedStop(reason, at)] };
        return (TOptions)changed;
    }

    /// <summary>Begins to stop the host when the run reaches a place: <see cref="WorkContext.Stopping"/> is cancelled, and the handler's
    /// token is not. The next checkpoint ends the run, and so does an <see cref="OperationCanceledException"/> of the
    /// handler.</summary>
    /// <param name="options">The options to change.</param>
    /// <param name="at">The place. If the run does not reach it, the test fails.</param>
    public static TOptions BeginShutdown<TOptions>(this TOptions options, Place at)
        where TOptions : WorkerTestOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        WorkerTestOptions changed = options with { Stops = [.. options.Stops, new PlannedStop(StopReason.None, at)] };
        return (TOptions)changed;
    }
}
