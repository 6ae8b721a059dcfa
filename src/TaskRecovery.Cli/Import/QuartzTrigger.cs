using System.Globalization;
using Npgsql;

namespace TaskRecovery.Cli.Import;

/// <summary>A trigger of Quartz with its job.</summary>
internal sealed record QuartzTrigger
{
    private const string DefaultGroup = "DEFAULT";

    // The most that the library stores.
    private const int MostAttempts = 1_000;

    /// <summary>The columns that <see cref="Read"/> reads, in their order.</summary>
    public const string Columns = """
        t.trigger_group, t.trigger_name, t.job_group, t.job_name, count(*) over (partition by t.job_group, t.job_name),
        t.trigger_state, t.trigger_type, t.next_fire_time, t.start_time, t.end_time, t.calendar_name, t.misfire_instr,
        j.job_class_name, j.is_nonconcurrent, j.job_data, t.job_data,
        c.cron_expression, c.time_zone_id, s.repeat_count, s.repeat_interval, s.times_triggered,
        t.overlap_policy, t.fixed_delay, t.continues_trigger_name is not null, t.retry_policy
        """;

    public required string Group { get; init; }

    public required string Name { get; init; }

    public required string JobGroup { get; init; }

    public required string JobName { get; init; }

    /// <summary>Whether the job has other triggers too.</summary>
    public required bool IsOneOfMany { get; init; }

    public required string State { get; init; }

    public required string Type { get; init; }

    public DateTimeOffset? Next { get; init; }

    public required DateTimeOffset Start { get; init; }

    public DateTimeOffset? End { get; init; }

    public string? Calendar { get; init; }

    public int Misfire { get; init; }

    public required string JobType { get; init; }

    /// <summary>Whether only one run of the job may be in progress.</summary>
    public bool IsNonConcurrent { get; init; }

    public byte[]? JobData { get; init; }

    public byte[]? TriggerData { get; init; }

    public string? Cron { get; init; }

    public string? TimeZone { get; init; }

    public long RepeatCount { get; init; }

    public TimeSpan RepeatInterval { get; init; }

    public long TimesTriggered { get; init; }

    /// <summary>The number of Quartz' overlap policy: 1 skips, 2 waits, 3 cancels the earlier run.</summary>
    public int Overlap { get; init; }

    /// <summary>Whether the interval begins when a run ends.</summary>
    public bool IsFromCompletion { get; init; }

    /// <summary>Whether it waits for another trigger.</summary>
    public bool IsContinuation { get; init; }

    /// <summary>How many attempts a run has: one, and the retries of the trigger's own policy.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>The id of the trigger.</summary>
    public string Key => Joined(Group, Name);

    /// <summary>The name that the job has here: that of its job there, with that of the trigger if there are several.</summary>
    public string TargetName => IsOneOfMany ? $"{Joined(JobGroup, JobName)}/{Key}" : Joined(JobGroup, JobName);

    /// <summary>Reads a row of <see cref="Columns"/>.</summary>
    public static QuartzTrigger Read(NpgsqlDataReader row) => new()
    {
        Group = row.GetString(0),
        Name = row.GetString(1),
        JobGroup = row.GetString(2),
        JobName = row.GetString(3),
        IsOneOfMany = row.GetInt64(4) > 1,
        State = row.GetString(5),
        Type = row.GetString(6),
        Next = Time(row, 7),
        Start = Time(row, 8) ?? DateTimeOffset.UnixEpoch,
        End = Time(row, 9),
        Calendar = Value<string>(row, 10),
        Misfire = row.IsDBNull(11) ? 0 : row.GetInt16(11),
        JobType = TypeText.FullNameOf(row.GetString(12)),
        IsNonConcurrent = row.GetBoolean(13),
        JobData = Value<byte[]>(row, 14),
        TriggerData = Value<byte[]>(row, 15),
        Cron = Value<string>(row, 16),
        TimeZone = Value<string>(row, 17),
        RepeatCount = row.IsDBNull(18) ? 0 : row.GetInt64(18),
        RepeatInterval = TimeSpan.FromMilliseconds(row.IsDBNull(19) ? 0 : row.GetInt64(19)),
        TimesTriggered = row.IsDBNull(20) ? 0 : row.GetInt64(20),
        Overlap = row.IsDBNull(21) ? 0 : row.GetInt32(21),
        IsFromCompletion = !row.IsDBNull(22) && row.GetBoolean(22),
        IsContinuation = row.GetBoolean(23),
        Attempts = AttemptsOf(Value<string>(row, 24)),
    };

    /// <summary>How many attempts a stored retry policy is.</summary>
    /// <remarks>Quartz stores <c>fixed;3;00:00:30</c> and <c>exp;3;...</c> with the number of retries, a list of waits with each of them,
    /// and <c>none</c>. It does not store the policies of a job's class and of the scheduler, which count for a trigger without
    /// one.</remarks>
    public static int AttemptsOf(string? policy)
    {
        var parts = policy?.Split(';') ?? [];
        return parts is [_, var number, ..] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var retries)
            ? Math.Min(retries, MostAttempts - 1) + 1
            : Math.Clamp(parts.Length, 1, MostAttempts);
    }

    private static string Joined(string group, string name) => group == DefaultGroup ? name : $"{group}.{name}";

    // Times are ticks in UTC.
    private static DateTimeOffset? Time(NpgsqlDataReader row, int at)
        => row.IsDBNull(at) ? null : new DateTimeOffset(row.GetInt64(at), TimeSpan.Zero);

    private static T? Value<T>(NpgsqlDataReader row, int at)
        where T : class
        => row.IsDBNull(at) ? null : row.GetFieldValue<T>(at);
}
