using TaskRecovery.Rules;
using TaskRecovery.Schedules;

namespace TaskRecovery.Jobs;

/// <summary>The rules for a job's definition, checked before it is stored.</summary>
internal static class JobRules
{
    private const int Years = 100;
    private const int MostCatchUp = 10_000;

    /// <summary>The earliest time of a definition or a backfill. An earlier one is a time that was never set, and allows no
    /// arithmetic.</summary>
    internal static readonly DateTimeOffset Earliest = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset Past = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Checks a definition.</summary>
    /// <exception cref="ArgumentException">A property is missing, too long, out of range, or has a character that can't be
    /// stored.</exception>
    public static void Check(JobDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(definition.Schedule, nameof(definition));
        NameRules.Job.Check(definition.Name, nameof(definition.Name), nameof(definition));
        if (definition.Queue is not null)
        {
            NameRules.Queue.Check(definition.Queue, nameof(definition.Queue), nameof(definition));
        }

        CheckRule(definition, definition.Priority, nameof(definition.Priority), EntryRules.InsteadOfPriority(definition.Priority));
        CheckRule(
            definition, definition.MaxAttempts, nameof(definition.MaxAttempts), EntryRules.InsteadOfMaxAttempts(definition.MaxAttempts));
        CheckPolicy(definition, definition.Overlap, nameof(definition.Overlap));
        CheckPolicy(definition, definition.MissedRuns, nameof(definition.MissedRuns));
        CheckRule(
            definition, definition.CatchUpLimit, nameof(definition.CatchUpLimit),
            definition.CatchUpLimit is < 1 or > MostCatchUp ? $"use 1 to {MostCatchUp:N0}" : null);
        CheckSpan(definition, definition.CatchUpWithin, nameof(definition.CatchUpWithin));
        CheckSpan(definition, definition.ExpiresAfter, nameof(definition.ExpiresAfter));
        CheckTime(definition, definition.StartAt, nameof(definition.StartAt));
        CheckTime(definition, definition.EndAt, nameof(definition.EndAt));
        CheckTime(definition, definition.Schedule.At, nameof(definition.Schedule));
        CheckRule(definition, definition.Timeout, nameof(definition.Timeout), EntryRules.InsteadOfTimeout(definition.Timeout));
        CheckRuns(definition);
    }

    /// <summary>The due times of a definition.</summary>
    public static RunTimes TimesOf(JobDefinition definition)
        => new(definition.Name, definition.Schedule, definition.StartAt, definition.EndAt, definition.Except);

    /// <summary>The due times of a job.</summary>
    public static RunTimes TimesOf(Job job) => new(job.Name, job.Schedule, job.StartAt, job.EndAt, job.Except);

    // A definition without any run is a mistake, for example the 30th of February. The end itself may be in the past: a declared job has
    // ended then, and that must not stop the start of the application.
    private static void CheckRuns(JobDefinition definition)
    {
        if (definition.EndAt <= definition.StartAt)
        {
            throw new ArgumentException(
                $"{nameof(definition.EndAt)} ({definition.EndAt:O}) is not after {nameof(definition.StartAt)} ({definition.StartAt:O}); "
                + "use a later end.", nameof(definition));
        }

        var from = definition.Schedule.At ?? definition.StartAt ?? definition.EndAt?.AddYears(-Years) ?? Past;
        var times = TimesOf(definition);
        var first = definition.Schedule.At is { } at ? times.OrLater(at)
            : times.TryNextAfter(from.AddTicks(-1), from, out var next) ? next : null;
        if (first is null || first > from.AddYears(Years))
        {
            var limits = (definition.Except is null ? "" : $" except '{EntryText.Shown(definition.Except.Text)}'")
                + (definition.EndAt is null ? "" : $" until {definition.EndAt:O}");
            throw new ArgumentException(
                $"The schedule '{definition.Schedule}'{limits} has no run in {Years} years; change it so that the job runs.",
                nameof(definition));
        }
    }

    private static void CheckPolicy<TPolicy>(JobDefinition definition, TPolicy policy, string property)
        where TPolicy : struct, Enum
    {
        if (!Enum.IsDefined(policy))
        {
            throw new ArgumentOutOfRangeException(
                nameof(definition), policy, $"{property} is {policy}; use one of {string.Join(", ", Enum.GetNames<TPolicy>())}.");
        }
    }

    private static void CheckSpan(JobDefinition definition, TimeSpan? span, string property)
    {
        if (span <= TimeSpan.Zero || span > EntryLimits.LongestDelay)
        {
            throw new ArgumentOutOfRangeException(
                nameof(definition), span,
                $"{property} is {span}; give more than zero and at most {EntryLimits.LongestDelay.TotalDays:N0} days, "
                + "or null for no limit.");
        }
    }

    private static void CheckTime(JobDefinition definition, DateTimeOffset? time, string property)
    {
        if (time > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(
                nameof(definition), time, $"{property} is {time:O}; use a time before {EntryLimits.LatestTime:yyyy-MM-dd}.");
        }

        if (time < Earliest)
        {
            throw new ArgumentOutOfRangeException(
                nameof(definition), time, $"{property} is {time:O}; use a time from {Earliest:yyyy-MM-dd} on.");
        }
    }

    private static void CheckRule(JobDefinition definition, object? value, string property, string? instead)
    {
        if (instead is not null)
        {
            throw new ArgumentOutOfRangeException(nameof(definition), value, $"{property} is {value}; {instead}.");
        }
    }
}
