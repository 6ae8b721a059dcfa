namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>entries</c>, <c>unique_keys</c> and <c>cancellations</c>.</summary>
internal static class EntrySql
{
    /// <summary>Stores an entry. ?1 now, ?2 queue, ?3 kind, ?4 priority, ?5 max attempts, ?6 args, ?7 unique key, ?8 timeout, ?9 metadata,
    /// ?10 trace, ?11 expires at.</summary>
    public const string Insert = """
        insert into taskrecovery_entries (created_at, queue, kind, priority, max_attempts, args, unique_key, timeout, metadata,
            trace_parent, expires_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """;

    /// <summary>The columns of an entry that a claim returns. ?1 id, ?2 whether without its texts.</summary>
    public const string Payload = """
        select priority, iif(?2, null, args), max_attempts, created_at, unique_key is not null, timeout, iif(?2, null, metadata),
            iif(?2, null, trace_parent), kind, expires_at
        from taskrecovery_entries where id = ?1
        """;

    /// <summary>The size in bytes of an entry's texts, which is known without reading them. ?1 id.</summary>
    public const string Size = """
        select octet_length(args) + coalesce(octet_length(metadata), 0) + coalesce(octet_length(trace_parent), 0)
        from taskrecovery_entries where id = ?1
        """;

    /// <summary>Kind and unique key. ?1 id.</summary>
    public const string KindAndKey = "select kind, unique_key from taskrecovery_entries where id = ?1";

    /// <summary>The name of an entry's kind. ?1 id.</summary>
    public const string KindName = "select k.name from taskrecovery_entries e join taskrecovery_kinds k on k.id = e.kind where e.id = ?1";

    /// <summary>The name of an entry's queue. ?1 id.</summary>
    public const string QueueName =
        "select q.name from taskrecovery_entries e join taskrecovery_queues q on q.id = e.queue where e.id = ?1";

    /// <summary>Removes an entry. ?1 id.</summary>
    public const string Delete = "delete from taskrecovery_entries where id = ?1";

    /// <summary>The entry that holds a unique key. ?1 kind, ?2 key.</summary>
    public const string FindKeyHolder = "select entry from taskrecovery_unique_keys where kind = ?1 and key = ?2";

    /// <summary>Returns a row if the time after which an entry does not start has passed. ?1 entry, ?2 now.</summary>
    public const string IsExpired = """
        select 1 from taskrecovery_entries where id = ?1 and typeof(expires_at) = 'integer' and expires_at <= ?2
        """;

    /// <summary>Stores a unique key. ?1 kind, ?2 key, ?3 entry.</summary>
    public const string TakeKey = "insert into taskrecovery_unique_keys (kind, key, entry) values (?1, ?2, ?3)";

    /// <summary>Returns a row if any unique key is held.</summary>
    public const string AnyKey = "select 1 from taskrecovery_unique_keys limit 1";

    /// <summary>Releases an entry's unique key. ?1 entry.</summary>
    public const string FreeKey = "delete from taskrecovery_unique_keys where entry = ?1";

    /// <summary>Stores a cancel request. ?1 entry, ?2 now.</summary>
    public const string RequestCancel = "insert or ignore into taskrecovery_cancellations (entry, requested_at) values (?1, ?2)";

    /// <summary>Returns a row if a cancel is requested. ?1 entry.</summary>
    public const string IsCancelRequested = "select 1 from taskrecovery_cancellations where entry = ?1";

    /// <summary>Returns a row if any cancel is requested.</summary>
    public const string AnyCancel = "select 1 from taskrecovery_cancellations limit 1";

    /// <summary>Every entry for which a cancel is requested.</summary>
    public const string AllCancels = "select entry from taskrecovery_cancellations order by entry";

    /// <summary>Removes a cancel request. ?1 entry.</summary>
    public const string RemoveCancel = "delete from taskrecovery_cancellations where entry = ?1";
}
