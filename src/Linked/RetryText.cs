using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>How entries are retried, as records and pages say it.</summary>
internal static class RetryText
{
    /// <summary>Where a retry starts, and when; <see langword="null"/> if it continues after the last finished step, and at once.</summary>
    public static string? Of(RetryOptions? retry)
    {
        var start = retry?.From == RetryFrom.Start ? "from the start, without finished steps and checkpoint" : null;
        var time = retry?.RunAt is { } at
            ? string.Create(CultureInfo.InvariantCulture, $"not before {at.UtcDateTime:s}Z")
            : null;
        return start is null ? time : time is null ? start : $"{start}, {time}";
    }
}
