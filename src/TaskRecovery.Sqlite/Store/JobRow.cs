using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A job's row. Times and spans are in microseconds.</summary>
internal sealed record JobRow(
    Guid Id, string Name, string Kind, string EntryKind, string Args, JobState State, long? Every, long? OnceAt, long? StartAt, OverlapPolicy Overlap,
    MissedRunPolicy MissedRuns, string Queue, int Priority, int MaxAttempts, long? Timeout, long? NextRunAt, long? PlannedEntry, long CreatedAt, long UpdatedAt,
    string? DeclaredBy)
{
    public static JobRow Read(SqliteStatement row) => new(
        row.Guid(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), (JobState)row.Int32(5), Interval(row.NullableInt64(6)), Micros.Clamp(row.NullableInt64(7)),
        Micros.Clamp(row.NullableInt64(8)),
        (OverlapPolicy)row.Int32(9), (MissedRunPolicy)row.Int32(10), row.Text(11), row.Int32(12), row.Int32(13), row.NullableInt64(14), Micros.Clamp(row.NullableInt64(15)),
        row.NullableInt64(16), row.Int64(17), row.Int64(18), row.NullableText(19));

    /// <summary>The fields that the job's plan depends on.</summary>
    public JobTiming Timing => new(State, Micros.ToSpan(Every), Micros.ToTime(OnceAt), Micros.ToTime(StartAt), Micros.ToTime(NextRunAt), PlannedEntry is not null);

    // A manually edited row can contain any value.
    private static long? Interval(long? micros) => micros is { } some ? Math.Max(some, Micros.From(TimeSpan.FromSeconds(1))) : null;

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
        Schedule = Every is { } every ? Schedule.Every(Micros.ToSpan(every)) : Schedule.Once(Micros.ToTime(OnceAt ?? 0)),
        State = State,
        Overlap = Overlap,
        MissedRuns = MissedRuns,
        Queue = Queue,
        Priority = Priority,
        MaxAttempts = MaxAttempts,
        Timeout = Micros.ToSpan(Timeout),
        NextRunAt = PlannedEntry is null ? null : Micros.ToTime(NextRunAt),
        CreatedAt = Micros.ToTime(CreatedAt),
        UpdatedAt = Micros.ToTime(UpdatedAt),
        DeclaredBy = DeclaredBy,
    };
}
