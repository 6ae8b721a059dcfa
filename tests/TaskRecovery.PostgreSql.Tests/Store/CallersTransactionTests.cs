using System.Threading.Channels;
using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Mistakes in a caller's transaction that only PostgreSQL knows. They are no outage: a handler that makes one would run again
/// without end.</summary>
public sealed class CallersTransactionTests : PostgreSqlStoreTests
{
    private static readonly RunOutcome Completed = new() { EntryId = 1, Fence = 1, Kind = OutcomeKind.Completed };

    [Fact]
    public async Task A_transaction_in_which_a_statement_failed_is_refused()
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await FailAsync(connection);

        Func<Task>[] calls =
        [
            async () => await store.EnqueueAsync([Entry()], transaction, Cancellation),
            async () => await store.EnqueueAsync([Entry(), Entry(uniqueKey: "one")], transaction, Cancellation),
            async () => await store.FinishInTransactionAsync(Guid.NewGuid(), Completed, transaction, Cancellation),
        ];
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(call);
            Assert.Contains("The transaction is aborted", refused.Message, StringComparison.Ordinal);
            Assert.IsType<PostgresException>(refused.InnerException);
        }
    }

    [Fact]
    public async Task The_first_transaction_of_an_address_is_refused_too_if_a_statement_failed_in_it()
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await FailAsync(connection);

        await Assert.ThrowsAsync<ArgumentException>(async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
    }

    [Fact]
    public async Task A_transaction_that_is_rolled_back_to_a_savepoint_is_accepted()
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await transaction.SaveAsync("before", Cancellation);
        await FailAsync(connection);
        await transaction.RollbackAsync("before", Cancellation);

        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_call_beside_an_open_reader_of_the_same_connection_is_refused()
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand("select generate_series(1, 1000)", connection, transaction);
        await using (await command.ExecuteReaderAsync(Cancellation))
        {
            var enqueue = await Assert.ThrowsAsync<InvalidOperationException>(
                async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
            Assert.Contains("executing another command", enqueue.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<InvalidOperationException>(
                async () => await store.FinishInTransactionAsync(Guid.NewGuid(), Completed, transaction, Cancellation));
        }

        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("rollback")]
    public async Task A_transaction_that_a_statement_has_ended_is_refused(string statement)
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);

        await Assert.ThrowsAsync<ArgumentException>(async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.FinishInTransactionAsync(Guid.NewGuid(), Completed, transaction, Cancellation));

        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_transaction_that_ends_while_a_call_waits_for_something_else_stores_nothing()
    {
        var store = await OpenStoreAsync();
        await using var blocking = await ConnectAsync();
        await using var block = await blocking.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand("lock table taskrecovery.queues", blocking);
        await command.ExecuteNonQueryAsync(Cancellation);
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        // The queue is new, so its number is searched on another connection.
        var call = store.EnqueueAsync([Entry(queue: "new")], transaction, Cancellation).AsTask();
        await UntilOneWaitsForALockAsync();
        await transaction.RollbackAsync(Cancellation);
        await block.CommitAsync(Cancellation);

        var refused = await Assert.ThrowsAsync<ArgumentException>(() => call);
        Assert.Contains("has ended during this call", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
    }

    [Fact]
    public async Task A_call_that_is_disturbed_after_it_has_stored_a_part_demands_a_rollback()
    {
        var delays = new HeldDelays();
        var store = await OpenStoreAsync(Open(static options => options.UseNotifications = false), delays);
        var expired = Entry(uniqueKey: "held") with { ExpiresAt = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        await store.EnqueueAsync([expired], null, Cancellation);
        await using var locking = await ConnectAsync();
        await using var locks = await locking.BeginTransactionAsync(Cancellation);
        await using var command = new NpgsqlCommand("select from taskrecovery.waiting for update", locking);
        await command.ExecuteNonQueryAsync(Cancellation);
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);

        // The first entry is stored. The holder of the other one's key has to be ended, but is locked.
        var call = store.EnqueueAsync([Entry(uniqueKey: "free"), Entry(uniqueKey: "held")], transaction, Cancellation).AsTask();
        var end = await delays.Begun.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        await using var reading = new NpgsqlCommand("select generate_series(1, 1000)", connection);
        await using var reader = await reading.ExecuteReaderAsync(Cancellation);
        end();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => call);
        Assert.Contains("roll it back", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing was stored", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transaction_whose_connection_was_lost_is_no_mistake_of_the_caller()
    {
        var store = await OpenStoreAsync();
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry()], transaction, Cancellation);
        await ExecuteAsync($"select pg_terminate_backend({connection.ProcessID}, 60000)");

        // The first call finds that the connection is lost.
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.FinishInTransactionAsync(Guid.NewGuid(), Completed, transaction, Cancellation));
    }

    private static async Task FailAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select 1 / 0", connection);
        await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));
    }

    /// <summary>A clock whose delays end only when the test ends them.</summary>
    private sealed class HeldDelays : TimeProvider
    {
        private readonly Channel<Action> _begun = Channel.CreateUnbounded<Action>();

        /// <summary>What ends each delay.</summary>
        public ChannelReader<Action> Begun => _begun.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _begun.Writer.TryWrite(() => callback(state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
