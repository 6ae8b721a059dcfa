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
        (database.LongestRead, database.PatienceForLocks) = (Patience, Patience);
        return database;
    }

    /// <summary>After a scan that took long, the next polls and claims scan less, and a busy machine may stop any scan for so long. With
    /// this, it may take a minute.</summary>
    public static PostgreSqlQueueStore WithPatience(this PostgreSqlQueueStore store)
    {
        (store.LongScan, store.LongRescan) = (Patience, Patience);
        return store;
    }

    /// <summary>A start that waits for a locked job is put off after a while, and a busy machine may stop the test that unlocks the job for
    /// longer. With this, the start waits for a minute.</summary>
    public static PostgreSqlJobStore WithPatience(this PostgreSqlJobStore store)
    {
        store.StartPatience = Patience;
        return store;
    }

    /// <summary>A step of a bulk operation is given up if it waits for a lock, and a busy machine may stop the test that holds the lock for
    /// longer. With this, it waits for a minute.</summary>
    public static PostgreSqlOperationStore WithPatience(this PostgreSqlOperationStore store)
    {
        store.PatienceForLocks = Patience;
        return store;
    }
}
