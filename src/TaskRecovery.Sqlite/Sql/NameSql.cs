namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>kinds</c> and <c>queues</c>.</summary>
internal static class NameSql
{
    /// <summary>A kind's number. ?1 name.</summary>
    public const string FindKind = "select id from taskrecovery_kinds where name = ?1";

    /// <summary>Adds a kind. ?1 name.</summary>
    public const string AddKind = "insert into taskrecovery_kinds (name) values (?1)";

    /// <summary>A kind's name. ?1 number.</summary>
    public const string KindName = "select name from taskrecovery_kinds where id = ?1";

    /// <summary>A queue's name. ?1 number.</summary>
    public const string QueueName = "select name from taskrecovery_queues where id = ?1";

    /// <summary>A queue's number. ?1 name.</summary>
    public const string FindQueue = "select id from taskrecovery_queues where name = ?1";

    /// <summary>A queue's number, unless it is paused. ?1 name.</summary>
    public const string FindOpenQueue = "select id from taskrecovery_queues where name = ?1 and paused = 0";

    /// <summary>Adds a queue. ?1 name.</summary>
    public const string AddQueue = "insert into taskrecovery_queues (name) values (?1)";

    /// <summary>Whether a queue is paused, since when, by whom, why and until when. ?1 number.</summary>
    public const string FindPause =
        "select paused, paused_at, paused_by, paused_reason, paused_until_at from taskrecovery_queues where id = ?1";

    /// <summary>As <see cref="FindPause"/>, for a kind.</summary>
    public const string FindKindPause =
        "select paused, paused_at, paused_by, paused_reason, paused_until_at from taskrecovery_kinds where id = ?1";

    /// <summary>Pauses or resumes a queue. ?1 number, ?2 whether it is paused, ?3 now, ?4 by whom, ?5 why, ?6 until when.</summary>
    public const string Pause = """
        update taskrecovery_queues set paused = ?2, paused_at = case when not ?2 then null when paused then paused_at else ?3 end,
            paused_by = ?4, paused_reason = ?5, paused_until_at = ?6
        where id = ?1
        """;

    /// <summary>As <see cref="Pause"/>, for a kind.</summary>
    public const string PauseKind = """
        update taskrecovery_kinds set paused = ?2, paused_at = case when not ?2 then null when paused then paused_at else ?3 end,
            paused_by = ?4, paused_reason = ?5, paused_until_at = ?6
        where id = ?1
        """;

    /// <summary>The kinds that are paused: usually none.</summary>
    public const string PausedKinds = "select id from taskrecovery_kinds where paused = 1";

    /// <summary>The kinds whose pause has ended. ?1 now.</summary>
    public const string KindPauseEnded = "select id, name from taskrecovery_kinds where paused = 1 and paused_until_at <= ?1";

    /// <summary>The queues whose pause has ended. ?1 now.</summary>
    public const string PauseEnded = "select id, name from taskrecovery_queues where paused = 1 and paused_until_at <= ?1";

    /// <summary>The queues, oldest first. ?1 how many at most.</summary>
    public const string Queues = "select id, name from taskrecovery_queues order by id limit ?1";
}
