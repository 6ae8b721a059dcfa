using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Hints about entries that are stored in the transactions of their callers.</summary>
public sealed class AfterCommitTests : PostgreSqlStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Many_transactions_give_few_hints()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);
        var started = Stopwatch.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await EnqueueAsync(store, source, "many");
            }
        })));
        await EnqueueAsync(store, source, "last");
        await hints.UntilAsync("wlast");

        // A check every 10 ms, and not one for each of 800 transactions.
        var heard = hints.Heard.Count(static text => text == "wmany");
        var most = (int)(Stopwatch.GetElapsedTime(started) / TimeSpan.FromMilliseconds(10)) + 3;
        Assert.InRange(heard, 1, Math.Min(most, 799));
    }

    [Fact]
    public async Task Each_commit_is_followed_by_a_hint_even_if_there_was_one_just_before()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);

        for (var i = 0; i < 30; i++)
        {
            await EnqueueAsync(store, source, "mail");
            await hints.UntilAsync("wmail");
        }
    }

    [Fact]
    public async Task What_is_rolled_back_gives_no_hint_and_a_savepoint_is_no_transaction()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);
        await EnqueueAsync(store, source, "gone", static transaction => transaction.RollbackAsync(Cancellation));

        await EnqueueAsync(store, source, "kept", async transaction =>
        {
            await transaction.SaveAsync("before", Cancellation);
            await store.EnqueueAsync([Entry(queue: "undone")], transaction, Cancellation);
            await transaction.RollbackAsync("before", Cancellation);
            await transaction.CommitAsync(Cancellation);
        });
        await hints.UntilAsync("wkept");

        Assert.DoesNotContain("wgone", hints.Heard);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_transaction_that_stays_open_does_not_delay_the_hints_of_others()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var open = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(queue: "open")], open, Cancellation);

        for (var i = 0; i < 10; i++)
        {
            // By now, the pause between two checks is at its longest. A hint that waited for the end of the open transaction would never
            // come.
            await Task.Delay(300, Cancellation);
            await EnqueueAsync(store, source, "mail");
            await hints.UntilAsync("wmail");
        }

        await open.CommitAsync(Cancellation);
        await hints.UntilAsync("wopen");
    }

    [Fact]
    public async Task A_check_that_fails_is_repeated()
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var proxy = new TcpProxy(server.Host!, server.Port);
        var database = Open(connectionString: new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Host = "127.0.0.1",
            Port = proxy.Port,
        }.ConnectionString);
        var store = await OpenStoreAsync(database);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);

        await EnqueueAsync(store, source, "mail", async transaction =>
        {
            proxy.Redirect("127.0.0.1", 1);
            await transaction.CommitAsync(Cancellation);
        });
        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindAsync(1, Cancellation).AsTask());
        }

        proxy.Redirect(server.Host!, server.Port);
        await hints.UntilAsync("wmail");
    }

    [Fact]
    public async Task A_queue_that_is_added_while_its_transaction_is_checked_gets_its_hint()
    {
        var database = Open();
        database.PatienceForHome = Limit;
        var store = new PostgreSqlQueueStore(database, new StoppedTimers());
        await store.PrepareAsync(Cancellation);
        await store.Names.ResolveAsync([Entry(queue: "first"), Entry(queue: "second")], Cancellation);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var hints = await ListenAsync(database);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(queue: "first")], transaction, Cancellation);
        var free = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var statement = database.UseAsync(
            async (_, _) =>
            {
                await free.Task;
                return true;
            },
            Cancellation).AsTask();

        // The check knows one queue, and waits for the connection that the statement uses.
        var check = store.Hints.SendEndedAsync().AsTask();
        Assert.False(check.IsCompleted);
        await store.EnqueueAsync([Entry(queue: "second")], transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);
        free.SetResult();
        await statement;

        Assert.Equal(1, await check);
        await hints.UntilAsync("wfirst");
        await hints.UntilAsync("wsecond");
    }

    [Fact]
    public async Task A_closed_store_watches_no_transaction()
    {
        var database = Open();
        var store = await OpenStoreAsync(database, new SlowClock());
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var open = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(queue: "open")], open, Cancellation);
        Assert.True(store.Hints.IsWatching);

        await database.DisposeAsync();

        // An open store watches a transaction for a minute, which takes ten by its clock.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Limit);
        while (store.Hints.IsWatching)
        {
            await Task.Delay(10, limit.Token);
        }
    }

    [Theory]
    [InlineData(0, null, 0, 2)]
    [InlineData(0, 0, 0, 10)]
    [InlineData(0, 7, 0, 3)]
    [InlineData(0, 50, 0, 2)]
    [InlineData(1, null, 6, 4)]
    [InlineData(2, 1, 6, 9)]
    [InlineData(3, null, 14, 16)]
    [InlineData(4, null, 30, 25)]
    [InlineData(1000, null, 1999, 25)]
    [InlineData(5, null, 2000, 64)]
    [InlineData(6, null, 2000, 100)]
    [InlineData(1000, null, 60_000, 100)]
    public void Checks_are_two_milliseconds_apart_ten_while_transactions_end_and_rarer_while_none_does(
        int checks, int? sinceEnded, int youngest, int milliseconds)
        => Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds),
            HintSender.PauseBefore(
                checks, sinceEnded is { } since ? TimeSpan.FromMilliseconds(since) : null, TimeSpan.FromMilliseconds(youngest)));

    [Theory]
    [InlineData(null, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(4, 4)]
    public void Hints_are_a_millisecond_apart_and_four_while_each_has_to_wait(int? last, int milliseconds)
        => Assert.Equal(
            TimeSpan.FromMilliseconds(milliseconds),
            HintSender.PauseAfter(last is { } pause ? TimeSpan.FromMilliseconds(pause) : null));

    private static Task EnqueueAsync(PostgreSqlQueueStore store, NpgsqlDataSource source, string queue)
        => EnqueueAsync(store, source, queue, static transaction => transaction.CommitAsync(Cancellation));

    private static async Task EnqueueAsync(
        PostgreSqlQueueStore store, NpgsqlDataSource source, string queue, Func<NpgsqlTransaction, Task> end)
    {
        await using var connection = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await store.EnqueueAsync([Entry(queue: queue)], transaction, Cancellation);
        await end(transaction);
    }

    private async Task<Hints> ListenAsync(PostgreSqlDatabase database)
        => await Hints.StartAsync(await ConnectAsync(), database.Channel);

    /// <summary>A clock whose timers never end, so that nothing but the test checks the transactions.</summary>
    private sealed class StoppedTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A session that listens, and what it has heard.</summary>
    private sealed class Hints(NpgsqlConnection connection) : IAsyncDisposable
    {
        private readonly Channel<string> _arrived = Channel.CreateUnbounded<string>();
        private readonly CancellationTokenSource _stopping = new();
        private Task _listening = Task.CompletedTask;

        public ConcurrentQueue<string> Heard { get; } = [];

        public static async Task<Hints> StartAsync(NpgsqlConnection connection, string channel)
        {
            var hints = new Hints(connection);
            connection.Notification += (_, notification) =>
            {
                hints.Heard.Enqueue(notification.Payload);
                hints._arrived.Writer.TryWrite(notification.Payload);
            };
            await using var listen = new NpgsqlCommand("listen " + PostgreSqlDatabase.Quote(channel), connection);
            await listen.ExecuteNonQueryAsync(Cancellation);
            hints._listening = Task.Run(hints.WaitAsync, Cancellation);
            return hints;
        }

        public async Task UntilAsync(string text)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(Limit);
            while (await _arrived.Reader.ReadAsync(limit.Token) != text)
            {
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _listening;
            await connection.DisposeAsync();
            _stopping.Dispose();
        }

        private async Task WaitAsync()
        {
            try
            {
                while (true)
                {
                    await connection.WaitAsync(_stopping.Token);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private sealed class SlowClock : TimeProvider
    {
        public override long GetTimestamp() => System.GetTimestamp() / 10;
    }
}
