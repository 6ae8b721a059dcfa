using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What is the same in every store is in the conformance suite; here is what only SQLite can get wrong.</summary>
public sealed class CallersTransactionTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_transaction_on_another_file_is_refused()
    {
        var store = await _files.OpenStoreAsync();
        using var elsewhere = new TemporaryDatabase();
        await elsewhere.OpenStoreAsync();
        await using var transaction = await elsewhere.Connect().BeginTransactionAsync();

        var error = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));

        Assert.Contains(elsewhere.File, error.Message, StringComparison.Ordinal);
        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_through_a_link_to_the_file_is_taken()
    {
        var store = await _files.OpenStoreAsync();
        var link = Path.Combine(_files.Folder, "link.db");
        File.CreateSymbolicLink(link, _files.File);
        await using var connection = new SqliteConnection($"Data Source={link};Pooling=False");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None);
        await transaction.CommitAsync();

        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Theory]
    [InlineData("insert or rollback into mine values (1)")]
    [InlineData("rollback")]
    public async Task A_transaction_that_SQLite_rolled_back_by_itself_stores_nothing(string statement)
    {
        var store = await _files.OpenStoreAsync();
        await using var connection = _files.Connect();
        await ExecuteAsync(connection, "create table mine (id integer primary key); insert into mine values (1)");
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "insert into mine values (2)");
        await Record.ExceptionAsync(() => ExecuteAsync(connection, statement));

        var enqueue = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));
        var finish = await Assert.ThrowsAsync<ArgumentException>(async () => await store.FinishInTransactionAsync(
            Guid.NewGuid(), new RunOutcome { EntryId = 1, Fence = 1, Kind = OutcomeKind.Completed }, transaction, CancellationToken.None));

        Assert.Contains("rolled it back by itself", enqueue.Message, StringComparison.Ordinal);
        Assert.Contains("rolled it back by itself", finish.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_call_whose_own_error_ends_the_transaction_reports_that_error()
    {
        var store = await _files.OpenStoreAsync();
        await using var connection = _files.Connect();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "create temp trigger full before insert on main.taskrecovery_entries begin "
            + "select raise(rollback, 'the disk is full'); end");

        var error = await Assert.ThrowsAnyAsync<TaskRecoveryException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));

        Assert.Contains("the disk is full", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_new_kind_of_a_transaction_that_was_rolled_back_is_not_remembered()
    {
        var store = await _files.OpenStoreAsync();
        await using (var transaction = await _files.Connect().BeginTransactionAsync())
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry() with { Kind = "passing" }], transaction, CancellationToken.None);
        }

        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
        var result = Assert.Single(
            await store.EnqueueAsync([TemporaryDatabase.Entry() with { Kind = "passing" }], null, CancellationToken.None));

        Assert.Equal("passing", (await store.FindAsync(result.Id, CancellationToken.None))!.Kind);
        Assert.Equal("work", (await store.FindAsync(result.Id - 1, CancellationToken.None))!.Kind);
    }

    [Fact]
    public async Task A_deferred_transaction_that_waits_for_the_lock_occupies_no_thread_says_so_and_obeys_its_token()
    {
        var log = new ListLogger();
        var store = _files.Store(_files.Open(log: log));
        await store.PrepareAsync(CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        await using var transaction = _files.Connect().BeginTransaction(deferred: true);
        Task waiting;
        await using (_files.Connect().BeginTransaction())
        {
            waiting = store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, cancellation.Token).AsTask();

            Assert.False(waiting.IsCompleted);
            Assert.Contains("EnqueueAsync", await log.WaitForAsync(5001), StringComparison.Ordinal);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None);
        await transaction.CommitAsync();
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_deferred_transaction_that_waits_for_the_lock_does_not_throw_for_each_attempt()
    {
        var log = new ListLogger();
        var database = _files.Open(log: log);
        database.Writer.ReportAfter = TimeSpan.FromMilliseconds(50);
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        await using var transaction = _files.Connect().BeginTransaction(deferred: true);

        // Other tests run at the same time.
        var isMine = new AsyncLocal<bool> { Value = true };
        var exceptions = 0;
        EventHandler<FirstChanceExceptionEventArgs> count = (_, thrown) =>
        {
            if (isMine.Value && thrown.Exception is SqliteException)
            {
                Interlocked.Increment(ref exceptions);
            }
        };
        AppDomain.CurrentDomain.FirstChanceException += count;
        try
        {
            Task waiting;
            await using (_files.Connect().BeginTransaction())
            {
                waiting = store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None).AsTask();
                await log.WaitForAsync(5001);
            }

            await waiting;
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= count;
        }

        await transaction.CommitAsync();
        Assert.Equal(0, exceptions);
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_deferred_transaction_that_has_read_nothing_survives_a_commit_of_another_connection()
    {
        var store = await _files.OpenStoreAsync();
        await using var other = _files.Connect();
        await ExecuteAsync(other, "create table mine (id integer primary key)");
        await using var transaction = _files.Connect().BeginTransaction(deferred: true);
        await ExecuteAsync(other, "begin immediate; insert into mine values (1)");

        var waiting = store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        await ExecuteAsync(other, "commit");
        await waiting;
        await transaction.CommitAsync();

        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_duplicate_in_a_deferred_transaction_that_has_read_needs_no_lock()
    {
        var store = await _files.OpenStoreAsync();
        await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], null, CancellationToken.None);
        await using var connection = _files.Connect();
        await using var transaction = connection.BeginTransaction(deferred: true);
        await ExecuteAsync(connection, "select count(*) from taskrecovery_entries");
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

        var results = await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], transaction, CancellationToken.None);

        Assert.True(Assert.Single(results).IsDuplicate);
        Assert.False(CallersTransaction.HoldsWriteLock(connection.Handle!));
    }

    /// <summary>With another native library, the state of a transaction is unknown.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deferred_transaction_gets_no_duplicate_of_an_entry_that_has_ended_since_it_read(bool knowsStates)
    {
        var database = _files.Open();
        database.KnowsTransactionStates = knowsStates;
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        var holder = Assert.Single(await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], null, CancellationToken.None));
        await using var connection = _files.Connect();
        await using (var old = connection.BeginTransaction(deferred: true))
        {
            await ExecuteAsync(connection, "select count(*) from taskrecovery_entries");
            await store.CancelAsync(holder.Id, new AuditInfo("anna"), CancellationToken.None);

            var error = await Assert.ThrowsAsync<StoreUnavailableException>(
                async () => await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], old, CancellationToken.None));
            Assert.Contains("as immediate ones", error.Message, StringComparison.Ordinal);
        }

        await using var transaction = connection.BeginTransaction();
        var results = await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], transaction, CancellationToken.None);
        await transaction.CommitAsync();

        Assert.False(Assert.Single(results).IsDuplicate);
    }

    [Fact]
    public async Task A_deferred_transaction_that_has_read_before_another_connection_wrote_does_not_wait()
    {
        var store = await _files.OpenStoreAsync(static options => options.BusyTimeout = TimeSpan.FromMinutes(10));
        await using var connection = _files.Connect();
        await using var transaction = connection.BeginTransaction(deferred: true);
        await ExecuteAsync(connection, "select count(*) from taskrecovery_entries");
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(
            () => store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None).AsTask()
                .WaitAsync(TimeSpan.FromMinutes(2)));

        Assert.Contains("begin them as immediate ones", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_that_ends_while_it_waits_for_the_lock_stores_nothing()
    {
        var store = await _files.OpenStoreAsync();
        var transaction = _files.Connect().BeginTransaction(deferred: true);
        Task waiting;
        await using (_files.Connect().BeginTransaction())
        {
            waiting = store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None).AsTask();
            await transaction.DisposeAsync();
            await Assert.ThrowsAsync<ArgumentException>(() => waiting);
        }

        Assert.Equal(0, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_deferred_transaction_gets_the_lock_when_it_is_free()
    {
        var store = await _files.OpenStoreAsync();
        await using var transaction = _files.Connect().BeginTransaction(deferred: true);
        Task waiting;
        await using (_files.Connect().BeginTransaction())
        {
            waiting = store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None).AsTask();
        }

        await waiting;
        await transaction.CommitAsync();
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    public void Dispose() => _files.Dispose();

    private static async Task ExecuteAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
