using SQLitePCL;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>History that is much: a round has to stay small.</summary>
public sealed class RetentionTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_step_does_not_walk_over_all_that_is_young()
    {
        await _files.OpenStoreAsync();
        Given(count: 100_000, age: TimeSpan.FromHours(1));
        var connection = _files.Connect().Handle!;
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_prepare_v2(connection, RetentionSql.Walk, out var statement));
        using var _ = statement;
        raw.sqlite3_bind_int64(statement, 1, 0);
        raw.sqlite3_bind_int64(statement, 2, 100);

        while (raw.sqlite3_step(statement) == raw.SQLITE_ROW)
        {
            // Only what it takes is of interest.
        }

        Assert.InRange(raw.sqlite3_stmt_status(statement, raw.SQLITE_STMTSTATUS_VM_STEP, 0), 1, 10_000);
    }

    [Fact]
    public async Task A_round_looks_at_a_part_of_what_is_kept_and_the_next_goes_on_there()
    {
        var store = await _files.OpenStoreAsync();
        Given(count: 150_000, age: TimeSpan.FromDays(2));
        Given(count: 1, age: TimeSpan.FromDays(2), hasEnded: true);

        var first = await PurgeAsync(store);
        var left = Count();
        var second = await PurgeAsync(store);

        Assert.Equal(150_001, left);
        Assert.Equal(150_000, Count());
        Assert.All([first, second], round => Assert.InRange(round, 2, 30));
    }

    [Fact]
    public async Task What_was_stored_before_the_clock_was_set_back_keeps_nothing_else()
    {
        var store = await _files.OpenStoreAsync();
        Given(count: HistoryWalk.Chunk + 1, age: TimeSpan.FromDays(-365));
        Given(count: 1, age: TimeSpan.FromDays(2), hasEnded: true);

        await PurgeAsync(store);

        Assert.Equal(HistoryWalk.Chunk + 1, Count());
    }

    [Fact]
    public async Task One_node_at_a_time_removes_what_is_no_longer_kept()
    {
        var (store, other) = (await _files.OpenStoreAsync(), _files.Open());
        Given(count: 1, age: TimeSpan.FromDays(2), hasEnded: true);

        Assert.True(other.Retention.TryTakeTurn(out var turn));
        await PurgeAsync(store);
        var whileAnotherHasItsTurn = Count();
        turn.Dispose();
        await PurgeAsync(store);

        Assert.Equal((1, 0), (whileAnotherHasItsTurn, Count()));
    }

    [Fact]
    public async Task A_lock_file_that_cannot_be_opened_is_not_taken_for_the_turn_of_another_node()
    {
        var store = await _files.OpenStoreAsync();
        Given(count: 1, age: TimeSpan.FromDays(2), hasEnded: true);
        Directory.CreateDirectory($"{_files.File}-retention");

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => PurgeAsync(store));
        Directory.Delete($"{_files.File}-retention");
        await PurgeAsync(store);

        Assert.Contains($"'{_files.File}-retention'", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Count());
    }

    [Fact]
    public async Task Large_rows_are_removed_in_several_transactions()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        Given(count: 300, age: TimeSpan.FromDays(2));
        _files.Execute($"""
            update taskrecovery_entries set args = zeroblob(1048576);
            insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final)
            select id, 1, created_at, 1, 0, 1, 0, 1 from taskrecovery_entries
            """);
        var before = database.Writer.Commits;

        await PurgeAsync(store);

        // One for the nodes.
        Assert.Equal(0, Count());
        Assert.InRange(database.Writer.Commits - before, 3, 301);
    }

    [Fact]
    public async Task What_one_transaction_of_retention_removes_is_limited_by_bytes()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        Given(count: 40, age: TimeSpan.FromDays(2));
        _files.Execute("""
            insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final, result)
            select id, 1, created_at, 1, 0, 1, 0, 1, zeroblob(1048576) from taskrecovery_entries
            """);
        var before = database.Writer.Commits;

        await PurgeAsync(store);

        Assert.Equal(0, Count());
        Assert.InRange(database.Writer.Commits - before, 8, 50);
    }

    [Fact]
    public async Task What_each_transaction_reads_again_does_not_count_among_the_time_of_its_changes()
    {
        var store = await _files.OpenStoreAsync();
        var parts = 0;

        var changed = await store.InPartsAsync<int>(
            [.. Enumerable.Range(0, 100)],
            static session =>
            {
                var begun = TimeProvider.System.GetTimestamp();
                while (TimeProvider.System.GetElapsedTime(begun) < LockBudget.Time)
                {
                    // Reads for longer than one transaction may take.
                }

                return static _ => 0;
            },
            CancellationToken.None, () => parts++);

        Assert.Equal(100, changed);
        Assert.InRange(parts, 1, 50);
    }

    [Fact]
    public async Task What_one_transaction_erases_is_limited_by_bytes()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        Given(count: 40, age: TimeSpan.FromDays(2));
        _files.Execute("update taskrecovery_entries set args = zeroblob(1048576), unique_key = 'person'");
        var before = database.Writer.Commits;

        var erased = await store.EraseAsync(EraseTarget.ByUniqueKey("person"), new AuditInfo("anna"), CancellationToken.None);

        // On a slow machine, each has a transaction of its own.
        Assert.Equal(40, erased);
        Assert.InRange(database.Writer.Commits - before, 8, 50);
    }

    [Fact]
    public async Task What_one_transaction_closes_is_limited_by_bytes()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        Given(count: 40, age: TimeSpan.FromDays(2));
        _files.Execute("""
            insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final, result)
            select id, 1, created_at, 1, 0, 1, 0, 1, '"' || hex(zeroblob(524288)) || '"' from taskrecovery_entries;
            insert into taskrecovery_tasks (id, job_id, entry_id, state, due_at, created_at)
            select randomblob(16), zeroblob(16), id, 1, id, created_at from taskrecovery_entries
            """);
        var before = database.Writer.Commits;

        var report = await new SqliteJobStore(database).RecoverTasksAsync(TimeSpan.FromHours(1), 3, CancellationToken.None);

        Assert.Equal(40, report.Items.Count);
        Assert.InRange(database.Writer.Commits - before, 8, 50);
    }

    [Fact]
    public async Task The_files_of_a_node_that_crashed_while_it_joined_are_removed_an_hour_later()
    {
        var store = await _files.OpenStoreAsync();
        using var alive = store.OpenNodeSession();
        var known = TemporaryDatabase.Identity("alive");
        alive.Register(known);
        var joining = GivenNodeFile(age: TimeSpan.FromMinutes(50));
        var crashed = GivenNodeFile(age: TimeSpan.FromHours(2));
        var held = GivenNodeFile(age: TimeSpan.FromHours(2));
        using var lockOfHeld = new FileStream(held, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        await PurgeAsync(store);

        Assert.Equal([false, true, true], [File.Exists(crashed), File.Exists(joining), File.Exists(held)]);
        Assert.Equal(2, Directory.GetFiles(_files.Folder, $"*{known.Id:N}*").Length);
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Events_of_the_application_are_limited_by_number_and_those_of_people_are_not()
    {
        await _files.OpenStoreAsync();
        using var connection = _files.Connect();
        Execute("""
            insert into taskrecovery_events (happened_at, kind, actor, tool)
                values (1, 1, 'anna', 'cli'), (1, 1, 'shop', 'application'), (1, 1, null, null);
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
                insert into taskrecovery_events (happened_at, kind, actor, tool) select 1, 1, 'shop', 'application' from n;
            """);

        Execute($"delete from taskrecovery_events where id in ({HistorySql.OldEvents.Replace("?1", "0", StringComparison.Ordinal)})");

        Assert.Equal(100_001L, Execute("select count(*) from taskrecovery_events"));
        Assert.Equal(1L, Execute("select count(*) from taskrecovery_events where actor = 'anna'"));

        object? Execute(string statement)
        {
            using var command = connection.CreateCommand();
            command.CommandText = statement;
            return command.ExecuteScalar();
        }
    }

    [Fact]
    public async Task A_round_that_finds_nothing_to_remove_waits_for_no_write_lock()
    {
        var store = await _files.OpenStoreAsync();
        var monitor = new SqliteMonitorStore(_files.Open());
        await using var transaction = _files.Connect().BeginTransaction();

        await PurgeAsync(store);
        var hasRemoved = await monitor.CondenseAsync(CancellationToken.None);

        Assert.False(hasRemoved);
    }

    private string GivenNodeFile(TimeSpan age)
    {
        var path = $"{_files.File}-node-{Guid.NewGuid():N}";
        File.WriteAllBytes(path, []);
        File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime - age);
        return path;
    }

    private static async Task<int> PurgeAsync(SqliteQueueStore store)
    {
        var calls = 1;
        while (await store.PurgeAsync(new RetentionOptions(), CancellationToken.None))
        {
            calls++;
        }

        return calls;
    }

    private void Given(int count, TimeSpan age, bool hasEnded = false)
    {
        var time = Micros.From(DateTimeOffset.UtcNow - age);
        _files.Execute($"""
            insert or ignore into taskrecovery_queues (id, name) values (1, 'default');
            insert or ignore into taskrecovery_kinds (id, name) values (1, 'work');
            with recursive n (i) as (select 1 union all select i + 1 from n where i < {count})
            insert into taskrecovery_entries (created_at, queue, kind, priority, max_attempts, args) select {time}, 1, 1, 5, 1, '' from n;
            """);
        if (hasEnded)
        {
            _files.Execute($"""
                insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final)
                select max(id), 1, {time}, 1, 0, 1, 0, 1 from taskrecovery_entries
                """);
        }
    }

    private long Count() => _files.Read("select count(*) from taskrecovery_entries");
}
