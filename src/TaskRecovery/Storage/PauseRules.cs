using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a store checks before it stores a pause.</summary>
[Experimental("TASKRECOVERY001")]
public static class PauseRules
{
    /// <summary>Returns when a pause of a job began: now, or when the pause that it replaces did. A pause that has ended counts too, if the
    /// run that was due before it has not started yet: the due times of both are not made up for, and a store keeps one.</summary>
    /// <param name="isPaused">Whether the job is paused already.</param>
    /// <param name="pausedAt">When the last pause of which the store knows began.</param>
    /// <param name="due">The due time of the planned run.</param>
    /// <param name="now">The time of the transaction, by the store's clock.</param>
    public static DateTimeOffset Begin(bool isPaused, DateTimeOffset? pausedAt, DateTimeOffset? due, DateTimeOffset now)
        => pausedAt is { } before && (isPaused || due < before) ? before : now;

    /// <summary>Checks that a pause ends later than now.</summary>
    /// <param name="pause">The pause; <see langword="null"/> if something is resumed.</param>
    /// <param name="now">The time of the transaction, by the store's clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">The end is not later: the pause would be over at once. The parameter is
    /// named <c>until</c>, as the application passes it.</exception>
    public static void CheckEnd(PauseInfo? pause, DateTimeOffset now)
    {
        if (pause?.Until is { } until && until <= now)
        {
            throw Over("until", until, now);
        }
    }

    // Named as the parameter of IQueueOperator and IJobService: an application passes no PauseInfo.
    private static ArgumentOutOfRangeException Over(string argument, DateTimeOffset until, DateTimeOffset now) => new(
        argument, until, $"The end of the pause is {until:O}, and by the store's clock it is {now:O}: use a later time, or none.");

    /// <summary>Returns what a store keeps of the pause of a job that is resumed: its beginning and its end, if the planned run was due
    /// before it. Later, the due times during the pause are not made up for (<see cref="MissedRunRules.PausedFrom"/>).</summary>
    /// <param name="since">When the pause began; <see langword="null"/> if that is not known.</param>
    /// <param name="until">When the pause should end by itself; <see langword="null"/> if it should not.</param>
    /// <param name="due">The due time of the planned run.</param>
    /// <param name="now">The time of the transaction, by the store's clock.</param>
    public static PauseInfo? KeepAfterResume(DateTimeOffset? since, DateTimeOffset? until, DateTimeOffset? due, DateTimeOffset now)
        => due < since ? new PauseInfo { Since = since, Until = until < now ? until : now } : null;
}
