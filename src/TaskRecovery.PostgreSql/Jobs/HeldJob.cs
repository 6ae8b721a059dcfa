using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>A job whose row is locked.</summary>
internal sealed record HeldJob
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Kind { get; init; }

    public required string EntryKind { get; init; }

    public required string Args { get; init; }

    public TimeSpan? Every { get; init; }

    public DateTimeOffset? OnceAt { get; init; }

    public string? Cron { get; init; }

    public string? TimeZone { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public DateTimeOffset? EndAt { get; init; }

    public string? Exceptions { get; init; }

    public JobState State { get; init; }

    public OverlapPolicy Overlap { get; init; }

    public MissedRunPolicy MissedRuns { get; init; }

    public TimeSpan? CatchUpWithin { get; init; }

    public int CatchUpLimit { get; init; }

    public TimeSpan? ExpiresAfter { get; init; }

    public required string Queue { get; init; }

    public int Priority { get; init; }

    public int MaxAttempts { get; init; }

    public TimeSpan? Timeout { get; init; }

    public DateTimeOffset? NextRunAt { get; init; }

    public long? PlannedEntry { get; init; }

    public DateTimeOffset? PausedAt { get; init; }

    public DateTimeOffset? ResumeAt { get; init; }

    public string? PausedBy { get; init; }

    public string? PausedReason { get; init; }

    public DateTimeOffset Now { get; init; }

    public string? DeclaredBy { get; init; }

    public string? DeclaredAs { get; init; }

    public DateTimeOffset? OrphanedAt { get; init; }

    /// <summary>The values on which the job's plan depends.</summary>
    public JobTiming Timing => new()
    {
        Name = Name,
        State = State,
        Schedule = StoredSchedule.Read(Every, OnceAt, Cron, TimeZone),
        StartAt = StartAt,
        EndAt = EndAt,
        Except = StoredSchedule.ReadExceptions(Exceptions),
        NextRunAt = NextRunAt,
        IsPlanned = PlannedEntry is not null,
    };

    /// <summary>The pause; <see langword="null"/> if the job is not paused.</summary>
    public PauseInfo? Pause => State != JobState.Paused ? null
        : new PauseInfo { Since = PausedAt, Actor = PausedBy, Reason = PausedReason, Until = ResumeAt };

    /// <summary>Reads the row that <see cref="JobSql.LockForPlan"/> returns.</summary>
    public static HeldJob Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Kind = reader.GetString(1),
        EntryKind = reader.GetString(2),
        Args = reader.GetString(3),
        Every = reader.MicrosecondsOrNull(4),
        OnceAt = reader.TimeOrNull(5),
        StartAt = reader.TimeOrNull(6),
        State = (JobState)reader.GetInt16(7),
        Overlap = (OverlapPolicy)reader.GetInt16(8),
        MissedRuns = (MissedRunPolicy)reader.GetInt16(9),
        Queue = reader.GetString(10),
        Priority = reader.GetInt16(11),
        MaxAttempts = reader.GetInt16(12),
        Timeout = reader.MicrosecondsOrNull(13),
        NextRunAt = reader.TimeOrNull(14),
        PlannedEntry = reader.Int64OrNull(15),
        Now = reader.GetFieldValue<DateTimeOffset>(16),
        DeclaredBy = reader.StringOrNull(17),
        Name = reader.GetString(18),
        Cron = reader.StringOrNull(19),
        TimeZone = reader.StringOrNull(20),
        EndAt = reader.TimeOrNull(21),
        Exceptions = reader.StringOrNull(22),
        CatchUpWithin = reader.MicrosecondsOrNull(23),
        CatchUpLimit = reader.GetInt32(24),
        ExpiresAfter = reader.MicrosecondsOrNull(25),
        PausedAt = reader.TimeOrNull(26),
        ResumeAt = reader.TimeOrNull(27),
        DeclaredAs = reader.StringOrNull(28),
        OrphanedAt = reader.TimeOrNull(29),
        PausedBy = reader.StringOrNull(30),
        PausedReason = reader.StringOrNull(31),
    };

    /// <summary>A job that is not stored yet.</summary>
    public static HeldJob New(NewJob job, string args, string queue, DateTimeOffset now)
        => new HeldJob
        {
            Id = Guid.CreateVersion7(),
            Name = job.Definition.Name,
            Kind = job.Kind,
            EntryKind = job.EntryKind,
            Args = args,
            Queue = queue,
            Now = now,
        }.With(job, args, queue);

    /// <summary>The same job with another definition.</summary>
    public HeldJob With(NewJob job, string args, string queue) => this with
    {
        Kind = job.Kind,
        EntryKind = job.EntryKind,
        Args = args,
        Every = Stored(job.Definition.Schedule.Interval),
        OnceAt = Stored(job.Definition.Schedule.At),
        Cron = job.Definition.Schedule.Expression,
        TimeZone = job.Definition.Schedule.TimeZone,
        StartAt = StoredStart(job.Definition.StartAt),
        EndAt = Stored(job.Definition.EndAt),
        Exceptions = job.Definition.Except?.Text,
        Overlap = job.Definition.Overlap,
        MissedRuns = job.Definition.MissedRuns,
        CatchUpWithin = Stored(job.Definition.CatchUpWithin),
        CatchUpLimit = job.Definition.CatchUpLimit,
        ExpiresAfter = Stored(job.Definition.ExpiresAfter),
        Queue = queue,
        Priority = job.Definition.Priority,
        MaxAttempts = job.KeepsMaxAttempts && MaxAttempts > 0 ? MaxAttempts : job.MaxAttempts,
        Timeout = Stored(job.Definition.Timeout),
        DeclaredBy = job.DeclaredBy ?? DeclaredBy,
        DeclaredAs = job.DeclaredAs ?? DeclaredAs,
        OrphanedAt = job.DeclaredBy is null ? OrphanedAt : null,
    };

    /// <summary>The parameters of <see cref="JobSql.Update"/>.</summary>
    public NpgsqlParameter[] ToArgs() =>
    [
        Arg.Uuid(Id), Arg.Text(Kind), Arg.Text(EntryKind), Arg.Text(Args), Arg.Micros(Every), Arg.Time(OnceAt), Arg.Time(StartAt),
        Arg.Int2((int)Overlap), Arg.Int2((int)MissedRuns), Arg.Text(Queue),
        Arg.Int2(Priority), Arg.Int2(MaxAttempts), Arg.Micros(Timeout), Arg.Text(DeclaredBy),
        Arg.Text(Cron), Arg.Text(TimeZone), Arg.Time(EndAt), Arg.Text(Exceptions), Arg.Micros(CatchUpWithin), Arg.Int4(CatchUpLimit),
        Arg.Micros(ExpiresAfter), Arg.Text(DeclaredAs), Arg.Time(OrphanedAt),
    ];

    /// <summary>The parameters of <see cref="JobSql.InsertMany"/>.</summary>
    public static NpgsqlParameter[] ToArgs(HeldJob[] jobs, JobPlan[] plans) =>
    [
        Arg.Array(Array.ConvertAll(jobs, static job => job.Id), NpgsqlDbType.Uuid),
        Texts(jobs, static job => job.Name),
        Texts(jobs, static job => job.Kind),
        Texts(jobs, static job => job.EntryKind),
        Texts(jobs, static job => job.Args),
        Spans(jobs, static job => job.Every),
        Times(jobs, static job => job.OnceAt),
        Times(jobs, static job => job.StartAt),
        Numbers(jobs, static job => (int)job.Overlap),
        Numbers(jobs, static job => (int)job.MissedRuns),
        Texts(jobs, static job => job.Queue),
        Numbers(jobs, static job => job.Priority),
        Numbers(jobs, static job => job.MaxAttempts),
        Spans(jobs, static job => job.Timeout),
        Texts(jobs, static job => job.DeclaredBy),
        Texts(jobs, static job => job.Cron),
        Texts(jobs, static job => job.TimeZone),
        Times(jobs, static job => job.EndAt),
        Texts(jobs, static job => job.Exceptions),
        Spans(jobs, static job => job.CatchUpWithin),
        Arg.Array(Array.ConvertAll(jobs, static job => job.CatchUpLimit), NpgsqlDbType.Integer),
        Spans(jobs, static job => job.ExpiresAfter),
        Texts(jobs, static job => job.DeclaredAs),
        Numbers(plans, static plan => (int)plan.State),
        Times(plans, static plan => plan.State == JobState.Active ? plan.Due : null),
    ];

    private static NpgsqlParameter Texts(HeldJob[] jobs, Converter<HeldJob, string?> value)
        => Arg.Array(Array.ConvertAll(jobs, value), NpgsqlDbType.Text);

    private static NpgsqlParameter Numbers<T>(T[] rows, Converter<T, int> value)
        => Arg.Array(Array.ConvertAll(rows, row => checked((short)value(row))), NpgsqlDbType.Smallint);

    private static NpgsqlParameter Times<T>(T[] rows, Converter<T, DateTimeOffset?> value)
        => Arg.Array(Array.ConvertAll(rows, row => Arg.Instant(value(row))), NpgsqlDbType.TimestampTz);

    private static NpgsqlParameter Spans(HeldJob[] jobs, Converter<HeldJob, TimeSpan?> value)
        => Arg.Array(Array.ConvertAll(jobs, job => value(job)?.Ticks / TimeSpan.TicksPerMicrosecond), NpgsqlDbType.Bigint);

    // PostgreSQL stores times in microseconds: round down, so that the value equals what is read back.
    private static DateTimeOffset? Stored(DateTimeOffset? time)
        => time is { } value ? new DateTimeOffset(value.UtcTicks - (value.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero) : null;

    // Rounded up, so that nothing runs before the start.
    private static DateTimeOffset? StoredStart(DateTimeOffset? time)
        => time is { } value ? Stored(new DateTimeOffset(value.UtcTicks + TimeSpan.TicksPerMicrosecond - 1, TimeSpan.Zero)) : null;

    private static TimeSpan? Stored(TimeSpan? span)
        => span is { } value ? new TimeSpan(value.Ticks - (value.Ticks % TimeSpan.TicksPerMicrosecond)) : null;
}
