using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>outcomes</c>.</summary>
internal static class OutcomeSql
{
    /// <summary>Stores how a run ended, unless an outcome is stored under its fence. ?1 entry, ?2 fence, ?3 now, ?4 duration, ?5 node, ?6
    /// kind, ?7 attempt, ?8 crashes, ?9 final, ?10 result, ?11 error, ?12 reason.</summary>
    public const string Insert = """
        insert or ignore into taskrecovery_outcomes (entry, fence, ended_at, duration, node, kind, attempt, crashes, final, result, error,
            reason)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """;

    /// <summary>The kind and reason of the outcome that is stored under a fence of a node. ?1 entry, ?2 fence, ?3 node's id.</summary>
    public const string Find = """
        select o.kind, o.reason from taskrecovery_outcomes o join taskrecovery_nodes n on n.number = o.node
        where o.entry = ?1 and o.fence = ?2 and n.id = ?3
        """;

    /// <summary>Returns a row if an outcome is stored under a fence. ?1 entry, ?2 fence.</summary>
    public const string Exists = "select 1 from taskrecovery_outcomes where entry = ?1 and fence = ?2";

    /// <summary>Returns a row if a run of an entry has begun, or if an operator has put the entry back. Such an entry does not expire. ?1
    /// entry.</summary>
    public const string HasStarted = $"""
        select 1 from taskrecovery_outcomes
        where entry = ?1 and (kind <> {Codes.OutcomeReleased} or reason is not {Codes.NotStarted}) limit 1
        """;

    /// <summary>Returns a row if an operator has put an entry back after it had ended. ?1 entry.</summary>
    public static readonly string WasPutBack =
        $"select 1 from taskrecovery_outcomes where entry = ?1 and final = 0 and kind in {Codes.KindsThat(OutcomeRules.Ends)} limit 1";

    /// <summary>Whether the newest of some outcomes of an entry has put it back because its job was paused.</summary>
    /// <param name="outcomes">The condition for the outcomes <c>o</c>.</param>
    public static string WasPutBackForPause(string outcomes)
        => $"coalesce((select o.kind = {Codes.OutcomeSnoozed} and o.reason is {Codes.JobNotActive} from taskrecovery_outcomes o "
            + $"where {outcomes} order by o.fence desc limit 1), 0)";

    /// <summary>Like <see cref="Exists"/>, but ignores outcomes stored by an erasure. ?1 entry, ?2 fence.</summary>
    public const string ExistsByNode =
        $"select 1 from taskrecovery_outcomes where entry = ?1 and fence = ?2 and reason is not '{EndReasons.Erased}'";

    /// <summary>An entry's final outcome, if it has ended. ?1 entry.</summary>
    /// <remarks>An entry that was run once more although it had ended has several; the newest one counts.</remarks>
    public const string FindFinal =
        "select fence, kind, reason from taskrecovery_outcomes where entry = ?1 and final = 1 order by fence desc limit 1";

    /// <summary>Stores what was known of the node when it died with a run. ?1 entry, ?2 fence, ?3 the black box.</summary>
    public const string SetBlackBox = "update taskrecovery_outcomes set black_box = ?3 where entry = ?1 and fence = ?2";

    /// <summary>Clears the final mark of an entry's outcomes. ?1 entry.</summary>
    public const string TakeFinal = "update taskrecovery_outcomes set final = 0 where entry = ?1 and final = 1";

    /// <summary>Sets the final mark of an outcome again. ?1 entry, ?2 fence. Returns what a task shows of it: kind, attempt, crashes,
    /// result, error, reason, end, duration, node.</summary>
    public const string GiveFinal = """
        update taskrecovery_outcomes set final = 1 where entry = ?1 and fence = ?2
        returning kind, attempt, crashes, result, error, reason, ended_at, duration, node
        """;

    /// <summary>Removes an entry's outcomes. ?1 entry.</summary>
    public const string Delete = "delete from taskrecovery_outcomes where entry = ?1";
}
