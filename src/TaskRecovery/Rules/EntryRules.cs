namespace TaskRecovery.Rules;

/// <summary>The values that an entry, a job and the options of a worker have in common. Each method returns what to use instead of a value;
/// <see langword="null"/> if the value is allowed.</summary>
/// <remarks>The callers throw, because they name the value as their own callers know it.</remarks>
internal static class EntryRules
{
    public static string? InsteadOfPriority(int priority)
        => priority is < 0 or > EntryLimits.MaxPriority ? $"use 0 (the most urgent) to {EntryLimits.MaxPriority}" : null;

    public static string? InsteadOfMaxAttempts(int? attempts)
        => attempts is < 1 or > EntryLimits.MostAttempts ? $"use 1 to {EntryLimits.MostAttempts:N0}" : null;

    // Both stores keep microseconds.
    public static string? InsteadOfTimeout(TimeSpan? timeout)
        => timeout?.Ticks < TimeSpan.TicksPerMicrosecond || timeout > EntryLimits.LongestTimeout
            ? $"use at least a microsecond and at most {EntryLimits.LongestTimeout}, or null for no limit"
            : null;
}
