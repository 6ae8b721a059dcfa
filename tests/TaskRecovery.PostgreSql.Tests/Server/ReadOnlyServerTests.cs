using Npgsql;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Server;

/// <summary>Behind one address, connections have reached a server that takes no writes; later the address leads to one that does.</summary>
public sealed class ReadOnlyServerTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
    private NpgsqlDataSource? _source;
    private PostgreSqlDatabase? _database;
    private PostgresPair? _pair;
    private TcpProxy? _proxy;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _database?.Dispose();
        await (_source?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_proxy?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_pair?.DisposeAsync() ?? ValueTask.CompletedTask);
        _stopping.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_that_stayed_with_a_standby_are_replaced_when_the_address_has_moved(bool isOwn)
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: false);
        var (primary, standby) = (PortOf(pair.PrimaryConnectionString), PortOf(pair.StandbyConnectionString));
        var proxy = _proxy = new TcpProxy("127.0.0.1", primary);
        var address = new NpgsqlConnectionStringBuilder(pair.PrimaryConnectionString) { Port = proxy.Port }.ConnectionString;
        _source = isOwn ? null : NpgsqlDataSource.Create(address);
        _database = new PostgreSqlDatabase(
            isOwn ? new PostgreSqlConnectionSource(address, null) : new PostgreSqlConnectionSource(null, _source),
            new PostgreSqlOptions(), TimeSpan.FromSeconds(15)).WithPatience();
        var store = new PostgreSqlQueueStore(_database, TimeProvider.System);
        await store.PrepareAsync(Cancellation);
        await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation);
        await UntilAsync(() => HasEntryAsync(pair.StandbyConnectionString));

        proxy.Redirect("127.0.0.1", standby);
        for (var refusals = 0; refusals < 3;)
        {
            refusals += await TryEnqueueAsync(store) is { InnerException: PostgresException { SqlState: "25006" } } ? 1 : 0;
        }

        // The pool of the application has a connection to the standby, and the node's session is one of the pool.
        Assert.Throws<StoreUnavailableException>(() => Register(store));
        var heard = new TaskCompletionSource<string?>();
        var listening = ListenAsync(store, hint => _ = hint.Kind == StoreHintKind.Work && heard.TrySetResult(hint.Queue));
        proxy.Redirect("127.0.0.1", primary, resetsOpen: false);

        await UntilAsync(async () => await Task.Run(() => Record.Exception(() => Register(store)), Cancellation) is null);
        await UntilAsync(async () => await TryEnqueueAsync(store) is null);
        await UntilAsync(async () =>
        {
            await NotifyAsync(pair.PrimaryConnectionString, _database.Channel);
            return heard.Task.IsCompleted;
        });
        Assert.Equal("mail", await heard.Task);
        await _stopping.CancelAsync();
        await listening;
    }

    [Fact]
    public async Task What_decides_about_work_is_not_read_from_a_standby()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: false);
        _database = OpenDatabase(pair.PrimaryConnectionString);
        var store = new PostgreSqlQueueStore(_database, TimeProvider.System);
        await store.PrepareAsync(Cancellation);
        var entry = (await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation))[0].Id;
        await UntilAsync(() => HasEntryAsync(pair.StandbyConnectionString));
        await using var standby = OpenDatabase(pair.StandbyConnectionString);
        var lagging = new PostgreSqlQueueStore(standby, TimeProvider.System);
        var jobs = new PostgreSqlJobStore(standby, lagging);
        await using var connection = new NpgsqlConnection(pair.StandbyConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var commits = new CommitFollower(standby);
        commits.Remember(transaction, new StoredInTransaction(1, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
        var ask = commits.Follow(transaction, entry);
        Assert.NotNull(ask);

        Func<Task>[] reads =
        [
            async () => await lagging.LoadProgressAsync(new ProgressKey(entry, null), Cancellation),
            async () => await lagging.LoadProgressAsync(new ProgressKey(entry, Guid.NewGuid()), Cancellation),
            async () => await lagging.ListClaimsAsync(Guid.NewGuid(), Cancellation),
            async () => await lagging.EraseAsync(EraseTarget.ByUniqueKey("key"), new AuditInfo("test"), Cancellation),
            async () => await jobs.ListIncompleteTasksAsync(Guid.NewGuid(), Cancellation),
            async () => await jobs.FindTaskAsync(Guid.NewGuid(), Cancellation),
            async () => await ask(Cancellation),
        ];
        var answers = new List<string?>();
        foreach (var read in reads)
        {
            var failure = await Record.ExceptionAsync(read);
            answers.Add((Assert.IsType<StoreUnavailableException>(failure).InnerException as PostgresException)?.SqlState);
        }

        Assert.All(answers, static state => Assert.Equal("25006", state));
        Assert.Empty((await store.LoadProgressAsync(new ProgressKey(entry, null), Cancellation)).Steps);
    }

    [Fact]
    public async Task A_listener_on_a_server_that_was_made_read_only_moves_with_the_address()
    {
        var pair = _pair = await PostgresPair.StartAsync(synchronous: false);
        var proxy = _proxy = new TcpProxy("127.0.0.1", PortOf(pair.PrimaryConnectionString));
        var address = new NpgsqlConnectionStringBuilder(pair.PrimaryConnectionString) { Port = proxy.Port }.ConnectionString;
        _database = OpenDatabase(address);
        var store = new PostgreSqlQueueStore(_database, TimeProvider.System);
        await store.PrepareAsync(Cancellation);
        var connected = new SemaphoreSlim(0);
        var listening = ListenAsync(store, hint => _ = hint.Kind == StoreHintKind.Connected ? connected.Release() : 0);
        Assert.True(await connected.WaitAsync(Soon, Cancellation));
        await pair.PromoteStandbyAsync();

        // Both servers take writes now, and the old one is made read-only: its sessions notice, and stay.
        await ExecuteAsync(pair.PrimaryConnectionString, "alter system set default_transaction_read_only = on");
        await ExecuteAsync(pair.PrimaryConnectionString, "select pg_reload_conf()");
        proxy.Redirect("127.0.0.1", PortOf(pair.StandbyConnectionString), resetsOpen: false);

        await UntilAsync(async () => await TryEnqueueAsync(store) is not null);
        await UntilAsync(async () => await TryEnqueueAsync(store) is null);
        Assert.True(await connected.WaitAsync(Soon, Cancellation));
        await _stopping.CancelAsync();
        await listening;
    }

    private static PostgreSqlDatabase OpenDatabase(string connectionString)
        => new PostgreSqlDatabase(
            new PostgreSqlConnectionSource(connectionString, null), new PostgreSqlOptions(), TimeSpan.FromSeconds(15)).WithPatience();

    // As the engine does.
    private async Task ListenAsync(PostgreSqlQueueStore store, Action<StoreHint> onHint)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Record.ExceptionAsync(() => store.ListenAsync(onHint, _stopping.Token));
            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }

    private static async Task<StoreUnavailableException?> TryEnqueueAsync(PostgreSqlQueueStore store)
    {
        try
        {
            await store.EnqueueAsync([PostgreSqlStoreTests.Entry()], null, Cancellation);
            return null;
        }
        catch (StoreUnavailableException exception)
        {
            return exception;
        }
    }

    private static void Register(PostgreSqlQueueStore store)
    {
        using var node = store.OpenNodeSession();
        node.Register(PostgreSqlStoreTests.Identity());
    }

    private static async Task<bool> HasEntryAsync(string connectionString)
    {
        try
        {
            return await ExecuteAsync(connectionString, "select id from taskrecovery.entries limit 1") is not null;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable
            || exception.SqlState == PostgresErrorCodes.InvalidSchemaName)
        {
            return false;
        }
    }

    private static Task NotifyAsync(string connectionString, string channel)
        => ExecuteAsync(connectionString, $"notify {PostgreSqlDatabase.Quote(channel)}, 'wmail'");

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isTrue())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static int PortOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Port;
}
