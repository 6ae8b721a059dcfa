using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Creates schedules from stored values. They are not validated, because one row that was edited by hand must not hide the others,
/// and because this machine may not know a time zone that another one stored.</summary>
[Experimental("TASKRECOVERY001")]
public static class StoredSchedule
{
    /// <summary>Creates a schedule.</summary>
    /// <param name="interval">The interval; less than a second is read as a second, and more than 36,500 days as 36,500 days.</param>
    /// <param name="at">The time of the single run.</param>
    /// <param name="expression">The cron expression. It has precedence over the others.</param>
    /// <param name="timeZone">The time zone of the cron expression; <see langword="null"/> for UTC.</param>
    public static Schedule Read(TimeSpan? interval, DateTimeOffset? at, string? expression, string? timeZone)
        => Schedule.FromStored(interval, at, expression, timeZone);

    /// <summary>Creates the exceptions of a schedule; <see langword="null"/> if there are none.</summary>
    public static ScheduleExceptions? ReadExceptions(string? text) => ScheduleExceptions.FromStored(text);
}
