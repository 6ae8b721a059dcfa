using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What the tests with odd rows begin with.</summary>
internal static class OddRows
{
    public static async Task<long[]> EnqueueTwoAsync(SqliteQueueStore store)
        => [.. (await store.EnqueueAsync([TemporaryDatabase.Entry(), TemporaryDatabase.Entry()], null, CancellationToken.None))
            .Select(static result => result.Id)];

    public static (Guid Node, IQueueClaimer Claimer) GivenClaimer(SqliteQueueStore store)
    {
        var identity = TemporaryDatabase.Identity("node");
        store.OpenNodeSession().Register(identity);
        return (identity.Id, store.CreateClaimer(identity.Id, "default", ["work"]));
    }
}
