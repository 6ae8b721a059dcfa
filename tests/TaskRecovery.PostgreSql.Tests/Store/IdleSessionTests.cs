using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Sessions that were ended while nothing went on in them: nothing was sent, so nothing needs to fail.</summary>
public sealed class IdleSessionTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task A_session_that_the_server_ended_for_being_idle_is_replaced()
    {
        // Long enough that a thread which is stopped for a moment between two statements of one call finds its session.
        await using var source = NpgsqlDataSource.Create(ConnectionString + ";Options=-c idle_session_timeout=2000;Application Name=idle");
        await OpenStoreAsync();
        var database = Keep(new PostgreSqlDatabase(new PostgreSqlConnectionSource(null, source), new PostgreSqlOptions(), Lease));
        var store = new PostgreSqlQueueStore(database.WithPatience(), TimeProvider.System);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await UntilNobodyAsync("idle");

        await store.EnqueueAsync([Entry(uniqueKey: "key")], null, Cancellation);
        await UntilNobodyAsync("idle");
        await store.EnqueueAsync([Entry()], null, Cancellation);

        Assert.Equal(3L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_session_that_was_ended_during_a_silence_is_found_dead_before_anything_is_sent()
    {
        var database = Open();
        database.Silence = TimeSpan.Zero;
        var store = await OpenStoreAsync(database);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name like 'taskrecovery %' "
            + "and datname = current_database()");

        await store.EnqueueAsync([Entry()], null, Cancellation);

        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task A_question_replaces_a_session_that_the_server_ended_for_being_idle()
    {
        await (await OpenStoreAsync()).EnqueueAsync([Entry()], null, Cancellation);
        var database = Open(options => options.MonitorConnectionString = ConnectionString + ";Options=-c idle_session_timeout=2000");
        var monitor = new PostgreSqlMonitorStore(database);
        await monitor.GetSnapshotAsync(Cancellation);
        await UntilNobodyAsync(database.Application!);

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);

        Assert.Equal(1, Assert.Single(snapshot.Queues).Due.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_question_finds_a_session_dead_that_was_ended_during_a_silence(bool hasConnectionString)
    {
        await (await OpenStoreAsync()).EnqueueAsync([Entry()], null, Cancellation);
        var database = Open(options => options.MonitorConnectionString = hasConnectionString ? ConnectionString : null);
        database.Silence = TimeSpan.Zero;
        var monitor = new PostgreSqlMonitorStore(database);
        await monitor.GetSnapshotAsync(Cancellation);
        await ExecuteAsync(
            $"select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = '{database.Application}'");

        var snapshot = await monitor.GetSnapshotAsync(Cancellation);

        Assert.Equal(1, Assert.Single(snapshot.Queues).Due.Value);
    }

    [Theory]
    [InlineData("the library's")]
    [InlineData("a pooler's")]
    [InlineData("the application's")]
    [InlineData("the monitor's")]
    public async Task The_server_ends_a_question_whose_process_has_stopped_in_the_middle(string sessions)
    {
        await using var shared = NpgsqlDataSource.Create(ConnectionString);
        var source = sessions == "the application's"
            ? new PostgreSqlConnectionSource(null, shared) : new PostgreSqlConnectionSource(ConnectionString, null);
        var options = new PostgreSqlOptions
        {
            UseSessionLocks = sessions != "a pooler's",
            MonitorConnectionString = sessions == "the monitor's" ? ConnectionString : null,
        };
        var database = Keep(new PostgreSqlDatabase(source, options, Lease)).WithPatience();

        var limit = await new MonitorReads(database, database.OpenMonitorAsync).ReadAsync(
            TimeSpan.FromMinutes(1),
            static async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("select current_setting('idle_in_transaction_session_timeout')", connection);
                return (string)(await command.ExecuteScalarAsync(token))!;
            },
            Cancellation);

        Assert.Equal("10s", limit);
    }

    [Fact]
    public async Task The_librarys_own_sessions_are_not_ended_for_being_idle()
    {
        // So long that the server does not end a session before the library has set its own.
        await ExecuteAsync(
            "do $$ begin execute format('alter database %I set idle_session_timeout = ''1h''', current_database()); end $$");
        var database = Open();

        var timeout = await database.ReadAsync(
            "select current_setting('idle_session_timeout')",
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token);
                return reader.GetString(0);
            },
            Cancellation);

        Assert.Equal("0", timeout);
    }

    private async Task UntilNobodyAsync(string application)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await ScalarAsync<long>(
            $"select count(*) from pg_stat_activity where application_name = '{application}' and datname = current_database()") > 0)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
