using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Numbers that stand for names belong to the file as it is now, not to the one that a process knew before it was restored or
/// emptied.</summary>
public sealed class NameTests : IDisposable
{
    private readonly TemporaryDatabase _database = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task An_enqueue_after_the_file_was_emptied_under_a_living_process_is_stored()
    {
        var store = await _database.OpenStoreAsync();
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        await using var other = _database.Connect();
        Run(other, """
            delete from taskrecovery_waiting; delete from taskrecovery_entries; delete from taskrecovery_queues; delete
                from taskrecovery_kinds;
            insert into taskrecovery_queues (name) values ('of others'); insert into taskrecovery_kinds (name) values ('others');
            """);

        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);

        Assert.Equal("default/work", Names(other));
    }

    [Fact]
    public async Task Numbers_of_kinds_and_queues_are_not_limited_to_16_bits()
    {
        var store = await _database.OpenStoreAsync();
        await using var other = _database.Connect();
        Run(other, "insert into taskrecovery_kinds (id, name) values (5000000000, 'of others'); insert into taskrecovery_queues (id, name) "
            + "values (5000000000, 'of others')");
        using var session = TemporaryDatabase.Join(store, "node", out var node);

        var stored = await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        var poll = await store.PollAsync(new PollRequest(node, ["default"], ["work"], WithUnknownKinds: true), Cancellation);
        var batch = await store.CreateClaimer(node, "default", ["work"]).ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);

        Assert.Equal(["default"], poll.DueQueues);
        Assert.Equal((stored[0].Id, "work"), (Assert.Single(batch.Entries).Id, batch.Entries[0].Kind));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_enqueue_after_a_restore_has_the_numbers_of_the_restored_file(bool inTransaction)
    {
        var store = await _database.OpenStoreAsync();
        await using var live = _database.Connect();
        await using var backup = new SqliteConnection($"Data Source={Path.Combine(_database.Folder, "backup.db")};Pooling=False");
        await backup.OpenAsync(Cancellation);
        live.BackupDatabase(backup);
        Run(backup, "insert into taskrecovery_queues (name) values ('of others'); insert into taskrecovery_kinds (name) values ('others')");
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        backup.BackupDatabase(live);

        if (inTransaction)
        {
            await using var transaction = live.BeginTransaction();
            await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, Cancellation);
            transaction.Commit();
        }
        else
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        }

        Assert.Equal("default/work", Names(live));
    }

    [Fact]
    public async Task A_claim_after_a_restore_hands_out_kinds_as_the_restored_file_has_them()
    {
        var store = await _database.OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var node = TemporaryDatabase.Identity("node");
        session.Register(node);
        await using var live = _database.Connect();
        await using var backup = new SqliteConnection($"Data Source={Path.Combine(_database.Folder, "backup.db")};Pooling=False");
        await backup.OpenAsync(Cancellation);
        live.BackupDatabase(backup);
        Run(backup, """
            insert into taskrecovery_queues (name) values ('default'); insert into taskrecovery_kinds (name) values ('others');
            insert into taskrecovery_entries (created_at, queue, kind, priority, max_attempts, args) values (1, 1, 1, 5, 1, '{}');
            insert into taskrecovery_waiting (id, queue, kind, priority, run_at) values (1, 1, 1, 5, 1);
            """);
        var claimer = store.CreateClaimer(node.Id, "default", ["work"]);
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, Cancellation);
        Assert.Single((await claimer.ClaimAsync(10, new SuspectAllowance(3, 1000, 1), Cancellation)).Entries);
        backup.BackupDatabase(live);

        var claimed = await claimer.ClaimAsync(10, new SuspectAllowance(3, 1000, 1), Cancellation);

        Assert.Empty(claimed.Entries);
    }

    private static void Run(SqliteConnection connection, string statements)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statements;
        command.ExecuteNonQuery();
    }

    private static string Names(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = """
            select q.name || '/' || k.name from taskrecovery_entries e join taskrecovery_queues q on q.id = e.queue
                join taskrecovery_kinds k on k.id = e.kind order by e.id desc limit 1
            """;
        return (string)command.ExecuteScalar()!;
    }
}
