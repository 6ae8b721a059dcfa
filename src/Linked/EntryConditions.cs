using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>The conditions of a query as the stores compare them with their columns. Both stores use it, so that they find the same
/// entries.</summary>
internal sealed class EntryConditions(EntryQuery query)
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    /// <summary>The kind; <see langword="null"/> if there is no condition, or only on its beginning.</summary>
    public string? Kind { get; } = query.Kind is { } kind && !kind.EndsWith('*') ? kind : null;

    /// <summary>The beginning of the kind; <see langword="null"/> if there is no condition, or on the whole kind.</summary>
    public string? KindPrefix { get; } = query.Kind is { } kind && kind.EndsWith('*') ? kind[..^1] : null;

    /// <summary>The states in which an entry can match; <see langword="null"/> if the query names none.</summary>
    public EntryState[]? States { get; } = StatesOf(query);

    /// <summary>The id of the job as it stands in the arguments of its entries.</summary>
    public string? Job { get; } = query.JobId?.ToString("D");

    /// <summary>The name and value as they stand in the stored metadata.</summary>
    public string? Metadata { get; } = Pair(query.Metadata);

    /// <summary>The trace as it stands in a stored trace context, in lower case.</summary>
    public string? Trace { get; } = query.TraceId?.ToLowerInvariant();

    /// <summary>The name and value of the scope as they stand in the stored metadata.</summary>
    public string? ScopeMetadata { get; } = Pair(query.Scope?.Metadata);

    /// <summary>The text as JSON may spell it: characters outside ASCII are usually stored as escapes.</summary>
    public string? EscapedText { get; } = query.Text is { } text ? JsonEncodedText.Encode(text).ToString() : null;

    /// <summary>Whether no entry can match.</summary>
    public bool AreNone => States is [];

    /// <summary>Whether only failed or cancelled entries can match. Few entries are, and they have an index.</summary>
    public bool AreUnwell
        => States is not null
            ? States.All(static state => state is EntryState.Failed or EntryState.Cancelled)
            : query.Reason is not null && !string.Equals(query.Reason, EndReasons.Erased, StringComparison.Ordinal);

    /// <summary>Whether only waiting entries can match.</summary>
    public bool AreWaiting => States is [EntryState.Waiting];

    /// <summary>Whether only running entries can match.</summary>
    public bool AreRunning => States is [EntryState.Running];

    /// <summary>Whether only entries that have not ended can match.</summary>
    public bool AreActive => States is not null && States.All(static state => state is EntryState.Waiting or EntryState.Running);

    /// <summary>Whether only entries that have ended can match. They are found by their outcomes.</summary>
    public bool AreEnded { get; } = IsOfEnd(query) || (query.States is { Count: > 0 } states && states.All(HasEnded));

    /// <summary>Whether no waiting entry can match.</summary>
    public bool AreNotWaiting => AreEnded || (States is not null && !States.Contains(EntryState.Waiting));

    /// <summary>Whether a running entry can match.</summary>
    public bool MayRun => States is null || States.Contains(EntryState.Running);

    /// <summary>How many entries a count may examine. If nothing restricts the states, the state or reason of each entry is looked up,
    /// which takes several times as long as to compare what was stored with it.</summary>
    public int ExaminedBy(EntryGrouping by)
        => by is EntryGrouping.Reason or EntryGrouping.State && States is null && !AreEnded
            ? Math.Min(query.MaxExamined, MonitorLimits.LookedUp)
            : query.MaxExamined;

    /// <summary>Whether all further entries were stored before the time from which on entries are wanted. Ids follow the time of storing
    /// only roughly, because transactions commit in another order, so the comparison leaves a margin.</summary>
    public bool EndsBefore(DateTimeOffset created) => query.CreatedFrom is { } from && created < Moved(from, -Margin);

    /// <summary>The time before which all entries that match were stored, with the same margin; <see langword="null"/> if there is
    /// none.</summary>
    public DateTimeOffset? StoredBefore => (query.CreatedTo, query.EndedTo) switch
    {
        ({ } created, { } ended) => Moved(created < ended ? created : ended, Margin),
        ({ } created, null) => Moved(created, Margin),
        (null, { } ended) => Moved(ended, Margin),
        _ => null,
    };

    // A query may name the first or the last time there is.
    private static DateTimeOffset Moved(DateTimeOffset time, TimeSpan by)
        => new(Math.Clamp(time.UtcTicks + by.Ticks, DateTimeOffset.MinValue.Ticks, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);

    private static EntryState[]? StatesOf(EntryQuery query)
        => query.States is not { Count: > 0 } states ? null
            : IsOfEnd(query) ? [.. states.Distinct().Where(HasEnded)]
            : [.. states.Distinct()];

    // Only an entry that has ended has a reason and a time of its end.
    private static bool IsOfEnd(EntryQuery query) => query.Reason is not null || query.EndedFrom is not null || query.EndedTo is not null;

    private static bool HasEnded(EntryState state) => state is not (EntryState.Waiting or EntryState.Running);

    private static string? Pair(KeyValuePair<string, string>? pair)
        => pair is { } some ? $"{StoredMetadata.Quoted(some.Key)}:{StoredMetadata.Quoted(some.Value)}" : null;
}
