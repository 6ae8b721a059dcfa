namespace TaskRecovery.Rules;

/// <summary>Limits that apply to every store.</summary>
internal static class EntryLimits
{
    public const string DefaultQueue = "default";
    public const int MaxPriority = 9;
    public const int MaxMetadataBytes = 16 * 1024;

    /// <summary>The largest value of <see cref="TaskRecoveryOptions.MaxArgsBytes"/>. A codec that stores base64 adds a third.</summary>
    public const int MostArgsBytes = 32 * 1024 * 1024;

    /// <summary>The maximum size of stored arguments, after a codec has encoded them.</summary>
    public const int MaxStoredArgsBytes = 64 * 1024 * 1024;

    /// <summary>The maximum number of steps of an entry or task. All of them are read when it runs again.</summary>
    public const int MaxSteps = 10_000;

    /// <summary>The maximum total size of the step results of an entry or task, in bytes.</summary>
    public const long MaxStepBytes = 64 * 1024 * 1024;

    public const int DefaultMaxAttempts = 10;
    public const int MostAttempts = 1_000;

    public static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(45);
    public static readonly TimeSpan LongestDelay = TimeSpan.FromDays(36_500);

    /// <summary>Later times are rejected, because databases and .NET do not support date arithmetic far beyond the year 9999.</summary>
    public static readonly DateTimeOffset LatestTime = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Earlier times are replaced by this one, which is in the past too. <see cref="DateTimeOffset.MinValue"/> would be stored as
    /// minus infinity.</summary>
    public static readonly DateTimeOffset EarliestTime = DateTimeOffset.UnixEpoch;
}
