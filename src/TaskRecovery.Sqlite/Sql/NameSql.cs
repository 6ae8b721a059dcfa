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

    /// <summary>A queue's number. ?1 name.</summary>
    public const string FindQueue = "select id from taskrecovery_queues where name = ?1";

    /// <summary>A queue's number, unless it is paused. ?1 name.</summary>
    public const string FindOpenQueue = "select id from taskrecovery_queues where name = ?1 and paused = 0";

    /// <summary>Adds a queue. ?1 name.</summary>
    public const string AddQueue = "insert into taskrecovery_queues (name) values (?1)";

    /// <summary>Pauses or resumes a queue. ?1 number, ?2 paused.</summary>
    public const string Pause = "update taskrecovery_queues set paused = ?2 where id = ?1 and paused <> ?2";

    /// <summary>Every queue.</summary>
    public const string AllQueues = "select id, name from taskrecovery_queues order by name";
}
