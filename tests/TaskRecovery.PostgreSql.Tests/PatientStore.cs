namespace TaskRecovery.PostgreSql.Tests;

/// <summary>The store for tests that are not about its time limits.</summary>
internal static class PatientStore
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>A busy machine may stop a statement, or a connection that is being opened, for longer than the product allows. With this,
    /// it may take a minute.</summary>
    public static PostgreSqlDatabase WithPatience(this PostgreSqlDatabase database)
    {
        (database.SessionSeconds, database.OpeningSeconds) = ((int)Patience.TotalSeconds, (int)Patience.TotalSeconds);
        database.LongestRead = Patience;
        return database;
    }

    /// <summary>After a scan that took long, the next polls and claims scan less, and a busy machine may stop any scan for so long. With
    /// this, it may take a minute.</summary>
    public static PostgreSqlQueueStore WithPatience(this PostgreSqlQueueStore store)
    {
        (store.LongScan, store.LongRescan) = (Patience, Patience);
        return store;
    }
}
