namespace TaskRecovery.Storage;

/// <summary>Where the read model stops counting.</summary>
internal static class MonitorLimits
{
    /// <summary>Due and later entries.</summary>
    internal const int Waiting = 100_000;

    /// <summary>Running entries: each is looked up in the history.</summary>
    internal const int Running = 10_000;

    /// <summary>Rows that are read for each number of <see cref="QueueCounts"/>.</summary>
    internal const int Counted = 100_000;

    /// <summary>Runs in the life of an entry: the newest ones.</summary>
    internal const int Runs = 500;

    /// <summary>Entries that are looked up one by one: their ends for a count of states or reasons, or their arguments for a text. As many
    /// as fit into the time of a list.</summary>
    internal const int LookedUp = 25_000;

    /// <summary>Queues that a measurement reports: those with the most due entries.</summary>
    internal const int Queues = 1_000;

    /// <summary>Lanes (a queue and a level) that a measurement of PostgreSQL reads, those of the oldest queues first; on SQLite, groups (a
    /// kind and a level of a queue).</summary>
    internal const int Lanes = 10_000;

    /// <summary>Failed and cancelled entries.</summary>
    internal const int Unwell = 10_000;
}
