using TaskRecovery.Queue;

namespace TaskRecovery;

/// <summary>Says what to run, and when. Each run of it is a task.</summary>
public sealed record Job
{
    /// <summary>The job's id, a UUID version 7.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its name, unique.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of task handler that runs it.</summary>
    public required string Kind { get; init; }

    /// <summary>The arguments of every run, as JSON.</summary>
    public required string Args { get; init; }

    /// <summary>When it runs.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>Whether it runs.</summary>
    public required JobState State { get; init; }

    /// <summary>What a due run does while an earlier one has not finished.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>What happens to runs missed while no node was up.</summary>
    public MissedRunPolicy MissedRuns { get; init; }

    /// <summary>The queue its entries go into.</summary>
    public required string Queue { get; init; }

    /// <summary>The priority of its entries.</summary>
    public int Priority { get; init; }

    /// <summary>How often a run is tried.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>How long one attempt may run.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>When it runs next; <see langword="null"/> if no run is planned.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>The application that declares it in its code (see <c>AddIntervalJob</c>); <see langword="null"/> for a job that was only ever created by a call.</summary>
    public string? DeclaredBy { get; init; }

    /// <summary>When it was created, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was changed last, by the database's clock.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What it is, without its arguments.</summary>
    public override string ToString() => $"Job {EntryText.Shown(Name)} ({Id}, {EntryText.Shown(Kind)}): {Schedule}, {State}";
}

/// <summary>Whether a job runs.</summary>
public enum JobState
{
    /// <summary>It runs when due.</summary>
    Active = 0,

    /// <summary>It keeps its place on its schedule but does not run.</summary>
    Paused = 1,

    /// <summary>Its single run has begun, so that nothing is left to plan.</summary>
    Ended = 2,
}

/// <summary>What a due run does while an earlier one of the same job has not finished.</summary>
public enum OverlapPolicy
{
    /// <summary>It is skipped; the next due time is planned.</summary>
    Skip = 0,

    /// <summary>It runs beside the earlier one.</summary>
    Allow = 1,
}

/// <summary>What happens to runs missed while no node was up.</summary>
public enum MissedRunPolicy
{
    /// <summary>One run makes up for all that were missed; then the schedule goes on.</summary>
    RunOnce = 0,

    /// <summary>They are skipped; the job runs at its next due time. A run counts as missed when it is late by more than one interval.</summary>
    Skip = 1,

    /// <summary>Each one is run, one after the other.</summary>
    RunAll = 2,
}

/// <summary>How a job is created or changed.</summary>
/// <param name="Name">Its name, unique. At most 200 bytes of UTF-8.</param>
/// <param name="Schedule">When it runs.</param>
public sealed record JobDefinition(string Name, Schedule Schedule)
{
    /// <inheritdoc cref="OverlapPolicy"/>
    /// <value>Default: <see cref="OverlapPolicy.Skip"/>.</value>
    public OverlapPolicy Overlap { get; init; }

    /// <inheritdoc cref="MissedRunPolicy"/>
    /// <value>Default: <see cref="MissedRunPolicy.RunOnce"/>.</value>
    public MissedRunPolicy MissedRuns { get; init; }

    /// <summary>The queue its entries go into.</summary>
    /// <value>Default: <see langword="null"/>, which means <c>default</c>.</value>
    public string? Queue { get; init; }

    /// <summary>The priority of its entries, 0 (first) to 9.</summary>
    /// <value>Default: 5.</value>
    public int Priority { get; init; } = 5;

    /// <summary>How often a run is tried, 1 to 1,000.</summary>
    /// <value>Default: <see langword="null"/>, which means the handler's own, or 10.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>How long one attempt may run.</summary>
    /// <value>Default: <see langword="null"/>, which means the handler's own, or no limit. At most 45 days.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>When an interval job runs first.</summary>
    /// <remarks>Changing it never postpones the run that is planned, so that code may compute it anew at each start: an earlier time brings that run forward, and from a
    /// later one on the schedule continues after that run. To postpone a run that is planned, pause the job or delete it.</remarks>
    /// <value>Default: <see langword="null"/>, which means now.</value>
    public DateTimeOffset? StartAt { get; init; }
}
