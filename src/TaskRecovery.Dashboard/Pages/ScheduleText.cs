using System.Globalization;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>A schedule in words. A cron expression without a common shape is shown as it is.</summary>
internal static class ScheduleText
{
    public static string Of(Schedule schedule) => schedule switch
    {
        { Interval: { } interval } => $"every {Every(interval)}",
        { At: { } at } => $"once, at {at.UtcDateTime.ToString("MMM d yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture)}",
        { Expression: { } expression, TimeZone: { } zone } => CronWords.Of(expression, zone) ?? schedule.ToString(),
        _ => schedule.ToString(),
    };

    private static string Every(TimeSpan interval) => interval switch
    {
        { TotalSeconds: 1 } => "second",
        { TotalMinutes: 1 } => "minute",
        { TotalHours: 1 } => "hour",
        { TotalDays: 1 } => "day",
        { TotalDays: 7 } => "week",
        _ when interval.Ticks % TimeSpan.TicksPerDay == 0 => $"{interval.TotalDays:0} days",
        _ when interval.Ticks % TimeSpan.TicksPerHour == 0 => $"{interval.TotalHours:0} h",
        _ when interval.Ticks % TimeSpan.TicksPerMinute == 0 => $"{interval.TotalMinutes:0} min",
        _ => Shown.Duration(interval),
    };
}
