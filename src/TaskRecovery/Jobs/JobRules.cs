using System.Text;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>The rules for a job's definition, checked before it is stored.</summary>
internal static class JobRules
{
    /// <summary>Checks a definition.</summary>
    /// <exception cref="ArgumentException">A property is missing, too long, out of range, or has a character that can't be
    /// stored.</exception>
    public static void Check(JobDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(definition.Schedule, nameof(definition));
        CheckText(definition, definition.Name, 200, nameof(definition.Name));
        if (definition.Queue is not null)
        {
            CheckText(definition, definition.Queue, 100, nameof(definition.Queue));
        }

        CheckRange(definition, definition.Priority, 0, 9, nameof(definition.Priority));
        if (definition.MaxAttempts is { } attempts)
        {
            CheckRange(definition, attempts, 1, 1000, nameof(definition.MaxAttempts));
        }

        CheckTime(definition, definition.StartAt, nameof(definition.StartAt));
        CheckTime(definition, definition.Schedule.At, nameof(definition.Schedule));
        if (definition.Timeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > EntryLimits.LongestTimeout))
        {
            throw new ArgumentOutOfRangeException(
                nameof(definition), timeout, $"{nameof(definition.Timeout)} is {timeout}; give more than zero and at most {EntryLimits.LongestTimeout}, or none for no limit.");
        }
    }

    private static void CheckTime(JobDefinition definition, DateTimeOffset? time, string property)
    {
        if (time > EntryLimits.LatestTime)
        {
            throw new ArgumentOutOfRangeException(nameof(definition), time, $"{property} is {time:O}; use a time before {EntryLimits.LatestTime:yyyy-MM-dd}.");
        }
    }

    private static void CheckRange(JobDefinition definition, int value, int least, int most, string property)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(nameof(definition), value, $"{property} is {value}; it must be {least} to {most:N0}.");
        }
    }

    private static void CheckText(JobDefinition definition, string? value, int bytes, string property)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            throw new ArgumentException($"{property} is empty; give it a name.", nameof(definition));
        }

        if (EntryText.Problem(value) is { } problem)
        {
            throw new ArgumentException($"{property} is '{EntryText.Shown(value)}': it {problem}; remove it.", nameof(definition));
        }

        if (Encoding.UTF8.GetByteCount(value) > bytes)
        {
            throw new ArgumentException($"{property} has {Encoding.UTF8.GetByteCount(value)} bytes of UTF-8; at most {bytes} can be stored.", nameof(definition));
        }
    }
}
