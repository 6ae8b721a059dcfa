using System.Globalization;
using System.Threading.Channels;
using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>The connection that a process keeps: statements and notifications share it.</summary>
public sealed class HomeConnectionTests : PostgreSqlStoreTests
{
    // What a statement of an idle process waits for its connection, on a machine that may stop the one before it for seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Statements_and_notifications_use_one_connection_and_a_node_that_no_longer_listens_is_not_woken()
    {
        var database = Open();
        database.PatienceForHome = Patience;
        var store = await OpenStoreAsync(database);
        var (connected, heard) = (new TaskCompletionSource(), new TaskCompletionSource<string?>());
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var listening = store.ListenAsync(
            hint => _ = hint.Kind == StoreHintKind.Connected ? connected.TrySetResult() : heard.TrySetResult(hint.Queue), source.Token);
        await connected.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        var own = await ProcessAsync(database);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(own, await ProcessAsync(database));
        }

        Assert.Equal(1, await ChannelsAsync(database));
        await ExecuteAsync($"notify {PostgreSqlDatabase.Quote(database.Channel)}, 'wmail'");
        Assert.Equal("mail", await heard.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
        Assert.Equal(own, await ProcessAsync(database));
        Assert.Equal(0, await ChannelsAsync(database));
    }

    [Fact]
    public async Task A_connection_that_was_ended_is_replaced_and_listens_again()
    {
        var database = Open();
        database.PatienceForHome = Patience;
        var store = await OpenStoreAsync(database);
        var connected = Channel.CreateUnbounded<StoreHintKind>();
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var listening = store.ListenAsync(hint => connected.Writer.TryWrite(hint.Kind), source.Token);
        Assert.Equal(StoreHintKind.Connected, await connected.Reader.ReadAsync(Cancellation));

        await ExecuteAsync("select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name like 'taskrecovery %' "
            + "and datname = current_database()");

        // The loop of the engine begins again.
        Assert.IsType<StoreUnavailableException>(
            await Record.ExceptionAsync(() => listening.WaitAsync(TimeSpan.FromSeconds(60), Cancellation)));
        listening = store.ListenAsync(hint => connected.Writer.TryWrite(hint.Kind), source.Token);
        Assert.Equal(StoreHintKind.Connected, await connected.Reader.ReadAsync(Cancellation));
        Assert.Equal(1, await ChannelsAsync(database));
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
    }

    [Fact]
    public async Task After_a_notification_the_connection_is_free_for_the_claim_that_follows()
    {
        var pauses = new Pauses();
        using var home = new HomeConnection(OpenOneAsync, pauses);
        var (connected, heard) = (new TaskCompletionSource(), Channel.CreateUnbounded<string>());
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        source.CancelAfter(TimeSpan.FromSeconds(60));
        var listening = home.ListenAsync(
            "hints", text => heard.Writer.TryWrite(text), () => connected.TrySetResult(), TimeSpan.FromSeconds(60), source.Token);
        await connected.Task.WaitAsync(source.Token);

        await ExecuteAsync("notify hints, 'first'");
        var end = await pauses.Begun.ReadAsync(source.Token);
        var taken = await home.TryTakeAsync(TimeSpan.Zero, source.Token);

        // Nobody had to be interrupted for it. When the pause is over, the wait continues.
        Assert.NotNull(taken);
        home.Return();
        end();
        await ExecuteAsync("notify hints, 'second'");
        Assert.Equal("first", await heard.Reader.ReadAsync(source.Token));
        Assert.Equal("second", await heard.Reader.ReadAsync(source.Token));
        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
    }

    [Fact]
    public async Task Notifications_that_come_together_are_heard_with_one_pause()
    {
        var pauses = new Pauses();
        using var home = new HomeConnection(OpenOneAsync, pauses);
        var (connected, heard) = (new TaskCompletionSource(), Channel.CreateUnbounded<string>());
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        source.CancelAfter(TimeSpan.FromMinutes(2));
        var listening = home.ListenAsync(
            "hints", text => heard.Writer.TryWrite(text), () => connected.TrySetResult(), TimeSpan.FromSeconds(60), source.Token);
        await connected.Task.WaitAsync(source.Token);

        // The clock of the pauses stands still, so a second pause would never end.
        await ExecuteAsync("select pg_notify('hints', n::text) from generate_series(1, 1000) n");
        (await pauses.Begun.ReadAsync(source.Token))();
        for (var i = 1; i <= 1000; i++)
        {
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), await heard.Reader.ReadAsync(source.Token));
        }

        await source.CancelAsync();
        await Record.ExceptionAsync(() => listening);
    }

    [Fact]
    public async Task A_statement_that_takes_long_keeps_no_other_waiting()
    {
        var database = Open();
        await using var holder = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await holder.OpenAsync(Cancellation);
        await using var locking = new NpgsqlCommand("select pg_advisory_lock(1)", holder);
        await locking.ExecuteNonQueryAsync(Cancellation);
        var slow = database.ExecuteAsync("select pg_advisory_xact_lock(1)", [], Cancellation).AsTask();
        await UntilOneWaitsForALockAsync();

        for (var i = 0; i < 20; i++)
        {
            await ProcessAsync(database);
        }

        // All of them have ended while it takes as long as it wants.
        Assert.False(slow.IsCompleted);
        await holder.CloseAsync();
        await slow;
    }

    [Fact]
    public async Task A_call_that_will_wait_for_a_unique_key_takes_no_connection_that_others_wait_for()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        (database.PatienceForHome, database.PatienceForPool) = (TimeSpan.Zero, TimeSpan.FromMinutes(5));
        var free = new TaskCompletionSource();
        using var begun = new SemaphoreSlim(0);
        Task<bool>[] others =
        [
            .. Enumerable.Range(0, 1 + ConnectionRules.Places(queues: 1)).Select(_ => database.UseAsync(
                async (_, _) =>
                {
                    begun.Release();
                    await free.Task;
                    return true;
                },
                Cancellation).AsTask()),
        ];
        for (var number = 0; number < others.Length; number++)
        {
            Assert.True(await begun.WaitAsync(TimeSpan.FromMinutes(2), Cancellation));
        }

        // The home connection and all places of the pool are in use.
        var results = await store.TryEnqueueAsync([Entry(uniqueKey: "key")], TimeSpan.FromMinutes(1), isBlocked: true, Cancellation)
            .AsTask().WaitAsync(TimeSpan.FromMinutes(2), Cancellation);

        Assert.Single(results!);
        free.SetResult();
        await Task.WhenAll(others);
    }

    [Fact]
    public async Task A_connection_that_can_not_be_closed_leaves_its_place_to_the_next()
    {
        var database = Open();
        database.PatienceForPool = TimeSpan.FromMinutes(1);
        var free = new TaskCompletionSource();
        var home = database.UseAsync(
            async (_, _) =>
            {
                await free.Task;
                return true;
            },
            Cancellation).AsTask();

        for (var place = 0; place < ConnectionRules.Places(queues: 1); place++)
        {
            await Assert.ThrowsAsync<NotSupportedException>(async () => await database.UseAsync(
                (connection, _) =>
                {
                    connection.StateChange += static (_, _) => throw new NotSupportedException();
                    return ValueTask.FromResult(true);
                },
                Cancellation));
        }

        // If no place were left, this would wait for one for a minute.
        var began = TimeProvider.System.GetTimestamp();
        await ProcessAsync(database);

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, 0.75 * database.PatienceForPool);
        free.SetResult();
        await home;
    }

    [Fact]
    public async Task A_call_during_which_the_store_is_closed_ends_on_its_own_connection()
    {
        var database = Open();

        var during = await database.UseAsync(
            async (connection, token) =>
            {
                await database.DisposeAsync();
                return await ProcessAsync(connection, token);
            },
            Cancellation);
        var after = await Assert.ThrowsAsync<StoreUnavailableException>(() => ProcessAsync(database).AsTask());

        Assert.Contains("closed", after.Message, StringComparison.Ordinal);
        await UntilGoneAsync(during);
    }

    [Fact]
    public async Task A_store_that_is_closed_while_a_statement_is_answered_leaves_the_answer_to_its_reader()
    {
        var database = Open();

        // The rows are more than the driver reads ahead, so a second reader of the connection would take some of them.
        var rows = await database.ReadAsync(
            "select repeat('x', 1000) from generate_series(1, 20000)",
            [],
            async (reader, token) =>
            {
                await database.DisposeAsync();
                var count = 0;
                while (await reader.ReadAsync(token))
                {
                    count++;
                }

                return count;
            },
            Cancellation);

        Assert.Equal(20000, rows);
    }

    private static ValueTask<int> ProcessAsync(PostgreSqlDatabase database) => ReadAsync(database, "select pg_backend_pid()");

    private static async ValueTask<int> ProcessAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task UntilGoneAsync(int process)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (await ScalarAsync<long>($"select count(*) from pg_stat_activity where pid = {process}") > 0)
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private static ValueTask<int> ChannelsAsync(PostgreSqlDatabase database)
        => ReadAsync(database, "select count(*)::integer from pg_listening_channels()");

    private static ValueTask<int> ReadAsync(PostgreSqlDatabase database, string statement)
        => database.ReadAsync(
            statement,
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token);
                return reader.GetInt32(0);
            },
            Cancellation);

    private async ValueTask<NpgsqlConnection> OpenOneAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    /// <summary>A clock that stands still, and whose timers end only when the test ends them.</summary>
    private sealed class Pauses : TimeProvider
    {
        private readonly Channel<Action> _begun = Channel.CreateUnbounded<Action>();

        public override long GetTimestamp() => 0;

        /// <summary>What ends each timer.</summary>
        public ChannelReader<Action> Begun => _begun.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _begun.Writer.TryWrite(() => callback(state));
            return new Endless();
        }

        private sealed class Endless : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
