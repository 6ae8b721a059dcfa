using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A job's row. Times and spans are in microseconds.</summary>
internal sealed record JobRow
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Kind { get; init; }

    public required string EntryKind { get; init; }

    public required string Args { get; init; }

    public JobState State { get; init; }

    public long? Every { get; init; }

    public long? OnceAt { get; init; }

    public string? Cron { get; init; }

    public string? TimeZone { get; init; }

    public long? StartAt { get; init; }

    public long? EndAt { get; init; }

    public string? Exceptions { get; init; }

    public OverlapPolicy Overlap { get; init; }

    public MissedRunPolicy MissedRuns { get; init; }

    public long? CatchUpWithin { get; init; }

    public int CatchUpLimit { get; init; }

    public long? ExpiresAfter { get; init; }

    public required string Queue { get; init; }

    public int Priority { get; init; }

    public int MaxAttempts { get; init; }

    public long? Timeout { get; init; }

    public long? NextRunAt { get; init; }

    public long? PlannedEntry { get; init; }

    public long? PausedAt { get; init; }

    public long? ResumeAt { get; init; }

    public string? PausedBy { get; init; }

    public string? PausedReason { get; init; }

    public long CreatedAt { get; init; }

    public long UpdatedAt { get; init; }

    public string? DeclaredBy { get; init; }

    public string? DeclaredAs { get; init; }

    public long? OrphanedAt { get; init; }

    /// <summary>The values on which the job's plan depends.</summary>
    public JobTiming Timing => new()
    {
        Name = Name,
        State = State,
        Schedule = Schedule,
        StartAt = Micros.ToTime(StartAt),
        EndAt = Micros.ToTime(EndAt),
        Except = StoredSchedule.ReadExceptions(Exceptions),
        NextRunAt = Micros.ToTime(NextRunAt),
        IsPlanned = PlannedEntry is not null,
    };

    /// <summary>What the definition says about runs that start late.</summary>
    public MissedRunRules Missed
        => new(MissedRuns, Micros.ToSpan(CatchUpWithin), CatchUpLimit, Micros.ToSpan(ExpiresAfter), Micros.ToTime(UpdatedAt))
        {
            PausedFrom = Micros.ToTime(PausedAt),
            PausedUntil = Micros.ToTime(ResumeAt),
        };

    /// <summary>The pause; <see langword="null"/> if the job is not paused.</summary>
    public PauseInfo? Pause => State != JobState.Paused ? null : new PauseInfo
    {
        Since = Micros.ToTime(PausedAt ?? UpdatedAt),
        Actor = PausedBy,
        Reason = PausedReason,
        Until = Micros.ToTime(ResumeAt),
    };

    private Schedule Schedule => StoredSchedule.Read(Micros.ToSpan(Every), Micros.ToTime(OnceAt), Cron, TimeZone);

    /// <summary>Reads the row at which a statement stands. A row that was edited by hand can contain any value, so times and spans are
    /// limited to values that allow arithmetic.</summary>
    public static JobRow Read(SqliteStatement row) => new()
    {
        Id = row.Guid(0),
        Name = row.Text(1),
        Kind = row.Text(2),
        EntryKind = row.Text(3),
        Args = row.Text(4),
        State = (JobState)row.Int32(5),
        Every = Interval(row.NullableInt64(6)),
        OnceAt = Micros.Clamp(row.NullableInt64(7)),
        StartAt = Micros.Clamp(row.NullableInt64(8)),
        Overlap = (OverlapPolicy)row.Int32(9),
        MissedRuns = (MissedRunPolicy)row.Int32(10),
        Queue = row.Text(11),
        Priority = row.Int32(12),
        MaxAttempts = row.Int32(13),
        Timeout = Micros.ClampSpan(row.NullableInt64(14)),
        NextRunAt = Micros.Clamp(row.NullableInt64(15)),
        PlannedEntry = row.NullableInt64(16),
        CreatedAt = row.Int64(17),
        UpdatedAt = row.Int64(18),
        DeclaredBy = row.NullableText(19),
        Cron = row.NullableText(20),
        TimeZone = row.NullableText(21),
        EndAt = Micros.Clamp(row.NullableInt64(22)),
        Exceptions = row.NullableText(23),
        CatchUpWithin = Micros.ClampSpan(row.NullableInt64(24)),
        CatchUpLimit = row.Int32(25),
        ExpiresAfter = Micros.ClampSpan(row.NullableInt64(26)),
        PausedAt = Micros.Clamp(row.NullableInt64(27)),
        ResumeAt = Micros.Clamp(row.NullableInt64(28)),
        PausedBy = row.NullableText(29),
        PausedReason = row.NullableText(30),
        DeclaredAs = row.NullableText(31),
        OrphanedAt = Micros.Clamp(row.NullableInt64(32)),
    };

    /// <summary>Reads the only row of a statement, if there is one.</summary>
    public static JobRow? ReadOne(SqliteStatement statement)
    {
        var row = statement.Step() ? Read(statement) : null;
        statement.Reset();
        return row;
    }

    /// <summary>Reads all rows of a statement.</summary>
    public static List<JobRow> ReadAll(SqliteStatement statement)
    {
        var rows = new List<JobRow>();
        while (statement.Step())
        {
            rows.Add(Read(statement));
        }

        return rows;
    }

    /// <summary>Converts the row to the public type.</summary>
    public Job ToJob() => new()
    {
        Id = Id,
        Name = Name,
        Kind = Kind,
        Args = Args,
        Schedule = Schedule,
        State = State,
        Pause = Pause,
        StartAt = Micros.ToTime(StartAt),
        EndAt = Micros.ToTime(EndAt),
        Except = StoredSchedule.ReadExceptions(Exceptions),
        Overlap = Overlap,
        MissedRuns = MissedRuns,
        CatchUpWithin = Micros.ToSpan(CatchUpWithin),
        CatchUpLimit = CatchUpLimit,
        ExpiresAfter = Micros.ToSpan(ExpiresAfter),
        Queue = Queue,
        Priority = Priority,
        MaxAttempts = MaxAttempts,
        Timeout = Micros.ToSpan(Timeout),
        NextRunAt = PlannedEntry is null ? null : Micros.ToTime(NextRunAt),
        CreatedAt = Micros.ToTime(CreatedAt),
        UpdatedAt = Micros.ToTime(UpdatedAt),
        DeclaredBy = DeclaredBy,
        OrphanedAt = Micros.ToTime(OrphanedAt),
    };

    private static long? Interval(long? micros) => micros is { } some ? Math.Max(some, Micros.From(TimeSpan.FromSeconds(1))) : null;
}
