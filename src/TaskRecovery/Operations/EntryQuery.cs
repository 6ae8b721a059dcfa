namespace TaskRecovery;

/// <summary>Selects entries. An entry must match every condition that is set.</summary>
/// <remarks>Entries are found by going back through their ids, or through the ends of their runs if only entries that have ended can match.
/// So a condition that few entries match may need several pages. Waiting, running, failed and cancelled entries, and the holder of a
/// unique key, are found directly.</remarks>
public sealed record EntryQuery
{
    /// <summary>The states; <see langword="null"/> or empty for all.</summary>
    public IReadOnlyCollection<EntryState>? States { get; init; }

    /// <summary>The queue; <see langword="null"/> for all.</summary>
    public string? Queue { get; init; }

    /// <summary>The kind, or the beginning of a kind followed by <c>*</c>, as in <c>mail.*</c>; <see langword="null"/> for all.</summary>
    public string? Kind { get; init; }

    /// <summary>The reason why the entry ended (see <see cref="EndReasons"/>); <see langword="null"/> for all.</summary>
    public string? Reason { get; init; }

    /// <summary>The name or id of the node that runs the entry or last ran it; <see langword="null"/> for all.</summary>
    public string? Node { get; init; }

    /// <summary>The job whose run the entry is; <see langword="null"/> for all.</summary>
    public Guid? JobId { get; init; }

    /// <summary>The unique key with which the entry was stored; <see langword="null"/> for all.</summary>
    public string? UniqueKey { get; init; }

    /// <summary>The earliest time at which the entry was stored.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>The time before which the entry was stored.</summary>
    public DateTimeOffset? CreatedTo { get; init; }

    /// <summary>The earliest time at which the entry ended.</summary>
    public DateTimeOffset? EndedFrom { get; init; }

    /// <summary>The time before which the entry ended.</summary>
    public DateTimeOffset? EndedTo { get; init; }

    /// <summary>A name and value in the entry's metadata. Metadata have no index: each examined entry is compared.</summary>
    public KeyValuePair<string, string>? Metadata { get; init; }

    /// <summary>A text that the arguments contain, compared character by character.</summary>
    public string? Text { get; init; }

    /// <summary>The id of the trace in which the entry was stored: 32 hexadecimal digits, as in a W3C trace context.</summary>
    public string? TraceId { get; init; }

    /// <summary>A part of the system to which the query is restricted, in addition to the conditions above; <see langword="null"/> for no
    /// restriction.</summary>
    public EntryScope? Scope { get; init; }

    /// <summary>Only entries with a smaller id. Pass <see cref="EntrySummaryPage.NextBefore"/> to look further; <see langword="null"/>
    /// starts with the newest entry.</summary>
    public long? Before { get; init; }

    /// <summary>The maximum number of entries in the page.</summary>
    /// <value>Default: 100. 1 to 1,000.</value>
    public int Limit { get; init; } = 100;

    /// <summary>The maximum number of entries that are examined for the page. If only entries that have ended can match, each end of a run
    /// counts.</summary>
    /// <value>Default: 100,000. 1 to 1,000,000.</value>
    public int MaxExamined { get; init; } = 100_000;
}
