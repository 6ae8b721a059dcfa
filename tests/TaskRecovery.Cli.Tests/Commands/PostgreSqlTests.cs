using Microsoft.Extensions.Time.Testing;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The commands on PostgreSQL.</summary>
public sealed class PostgreSqlTests
{
    [Fact]
    public async Task Entries_are_listed_cancelled_retried_and_checked()
    {
        await using var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);
        await cli.MigratedAsync();
        var ids = await cli.EnqueueAsync(3);

        var status = await cli.RunAsync("status");
        var one = await cli.RunAsync("cancel", $"{ids[0]}", "--yes", "--actor", "anna");
        var many = await cli.RunAsync("cancel", "--kind", "render", "--yes");
        var retried = await cli.RunAsync("retry", "--all", "--yes", "--json");
        var paused = await cli.RunAsync("pause", "queue", "default", "--new", "--yes");
        var check = await cli.RunAsync("check");
        var life = await cli.RunAsync("show", $"{ids[0]}");
        var nodes = await cli.RunAsync("nodes", "--json");

        Assert.Equal((0, 0, 0, 0, 0, 0), (status.ExitCode, one.ExitCode, many.ExitCode, retried.ExitCode, paused.ExitCode, check.ExitCode));
        Assert.StartsWith($"database {database.Name} on ", status.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith("2 done, 0 refused\n", many.Out, StringComparison.Ordinal);
        Assert.Equal(3, retried.Json().GetProperty("done").GetInt64());
        Assert.Contains("anna (cli)", life.Out, StringComparison.Ordinal);
        Assert.Equal(0, nodes.Json().GetArrayLength());
    }

    [Fact]
    public async Task An_operation_whose_server_is_lost_is_named_with_what_to_do()
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        using var direct = new CliFixture(database.ConnectionString);
        await direct.EnqueueAsync(1_200);
        var server = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var proxy = new TcpProxy(server.Host!, server.Port);
        (server.Host, server.Port) = ("127.0.0.1", proxy.Port);
        using var cli = new CliFixture(server.ConnectionString);
        using var errors = new WatchedWriter();
        errors.On("500 done", () => proxy.Redirect("127.0.0.1", 1));

        var lost = await cli.RunAsync(["cancel", "--all", "--yes"], answer: null, error: errors);
        var running = await direct.RunAsync("ops", "--json");
        var continued = await direct.RunAsync("ops", "continue", "1", "--yes");

        Assert.Equal((3, ""), (lost.ExitCode, lost.Out));
        Assert.Contains(
            "Operation 1 was started, and a running node carries it out. 'taskrecovery ops show 1' shows it", lost.Error,
            StringComparison.Ordinal);
        Assert.Equal("Running", running.Json().GetProperty("operations").EnumerateArray().Single().GetProperty("state").GetString());
        Assert.Equal((0, "operation 1: Ended, 1200 done, 0 refused\n"), (continued.ExitCode, continued.Out));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_whose_answer_was_not_waited_for_is_not_called_undone(bool timesOut)
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        var time = new FakeTimeProvider();
        using var cli = new CliFixture(database.ConnectionString) { Time = time };
        await using var holder = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(holder, "begin; lock table taskrecovery.queues in exclusive mode");
        using var interrupt = new CancellationTokenSource();

        var paused = cli.RunAsync(
            ["pause", "queue", "mail", "--new", "--yes", "--actor", "anna", "--timeout", "1h"], answer: null,
            cancellationToken: interrupt.Token);
        await UntilOneWaitsForALockAsync(database.ConnectionString, paused);
        if (timesOut)
        {
            time.Advance(TimeSpan.FromHours(2));
        }
        else
        {
            await interrupt.CancelAsync();
        }

        (await paused).AssertFailed(
            3, "It is not known whether this was done: look with 'taskrecovery events --by \"anna\"' before you repeat it.");
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 0)]
    public async Task One_entry_that_was_not_changed_in_time_is_not_called_a_part(bool isChanged, int expected)
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        var time = new FakeTimeProvider();
        using var cli = new CliFixture(database.ConnectionString) { Time = time };
        var id = Assert.Single(await cli.EnqueueAsync(1));
        await using var holder = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        if (isChanged)
        {
            // As if the step had changed the entry before the operation was stopped (state 3).
            await ExecuteAsync(holder, """
                create function taskrecovery.changed() returns trigger language plpgsql as 'begin new.done := 1; return new; end';
                create trigger changed before update on taskrecovery.operations for each row when (new.state = 3)
                    execute function taskrecovery.changed()
                """);
        }

        await ExecuteAsync(holder, "begin; lock table taskrecovery.waiting in exclusive mode");
        var cancelled = cli.RunAsync(["cancel", $"{id}", "--yes", "--timeout", "1h"], answer: null);
        await UntilOneWaitsForALockAsync(database.ConnectionString, cancelled);
        time.Advance(TimeSpan.FromHours(2));

        // On a machine that stands still, the server may have ended the wait first. Then a node would carry out the operation.
        var result = await cancelled;
        var isWaitOver = result.Error.Contains("a running node carries it out", StringComparison.Ordinal);
        Assert.Equal(isWaitOver ? 3 : expected, result.ExitCode);
        Assert.Equal(isChanged && !isWaitOver, result.Out.Contains($"cancel entry {id}: done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_erase_that_was_stopped_says_how_many_are_erased()
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);
        var ids = await cli.EnqueueAsync(2);
        await using var holder = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(holder, $"begin; select from taskrecovery.entries where id = {ids[1]} for update");
        using var interrupt = new CancellationTokenSource();

        var stopped = cli.RunAsync(
            ["erase", $"{ids[0]}", $"{ids[1]}", "--yes"], answer: null, cancellationToken: interrupt.Token);
        await UntilOneWaitsForALockAsync(database.ConnectionString, stopped);
        await interrupt.CancelAsync();

        // On a machine that stands still, the server may have ended the wait first.
        var result = await stopped;
        Assert.Contains(result.ExitCode, (int[])[3, 130]);
        Assert.EndsWith("At least 1 entries were erased. Repeat it to erase the rest.\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stored", "status", "--watch", "--interval", "1ms")]
    [InlineData("Paused", "events", "--follow", "--interval", "1ms")]
    [InlineData("done", "cancel", "--all", "--yes")]
    public async Task A_command_uses_three_connections_at_most(string shown, params string[] args)
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);
        await cli.EnqueueAsync(1_200);
        await cli.RunAsync("pause", "queue", "default", "--yes");
        await using var watcher = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await watcher.OpenAsync(TestContext.Current.CancellationToken);
        using var interrupt = new CancellationTokenSource();
        var counts = new List<long>();
        using var output = new WatchedWriter();
        output.On(shown, Count);
        using var error = new WatchedWriter();
        error.On(shown, Count);

        await cli.RunAsync(args, answer: null, cancellationToken: interrupt.Token, error: error, output: output);

        Assert.NotEmpty(counts);
        Assert.All(counts, static count => Assert.InRange(count, 1, 3));

        void Count()
        {
            using var command = new NpgsqlCommand(
                """
                select coalesce(max(c.number), 0) from (
                    select count(*) as number from pg_stat_activity
                    where datname = current_database() and application_name like 'taskrecovery %' group by application_name) c
                """,
                watcher);
            counts.Add((long)command.ExecuteScalar()!);
            if (counts.Count == 5 || args[0] == "events")
            {
                interrupt.Cancel();
            }
        }
    }

    [Fact]
    public async Task Tables_are_in_the_schema_that_is_named()
    {
        await using var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);

        var pending = await cli.RunAsync("migrate", "--check", "--schema", "Other");
        var applied = await cli.RunAsync("migrate", "--yes", "--schema", "Other");
        var status = await cli.RunAsync("status", "--schema", "Other");
        var standard = await cli.RunAsync("status");
        var pause = await cli.RunAsync("pause", "queue", "mail", "--new", "--dry-run", "--schema", "Other");

        Assert.StartsWith($"would: Pause queue mail in schema Other of database {database.Name} on ", pause.Out, StringComparison.Ordinal);
        Assert.StartsWith($"schema Other of database {database.Name} on ", status.Lines[0], StringComparison.Ordinal);
        Assert.Equal((1, 0, 0), (pending.ExitCode, applied.ExitCode, status.ExitCode));
        Assert.Equal(pending.Lines.Length, applied.Lines.Length);
        standard.AssertFailed(4, "Run 'taskrecovery migrate'.");
    }

    [Fact]
    public async Task A_wrong_password_is_one_line_without_the_password()
    {
        await using var database = await MigratedDatabase.CreateAsync("cli");
        await using var admin = new NpgsqlConnection($"{database.ConnectionString};Pooling=false");
        await admin.OpenAsync(TestContext.Current.CancellationToken);
        var role = $"ops_{Guid.NewGuid():n}";
        await ExecuteAsync(admin, $"create role {role} login password 'right44'");
        try
        {
            var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role, Password = "wrong55" };
            using var cli = new CliFixture(wrong.ConnectionString);

            foreach (var command in (string[][])[["status"], ["doctor"], ["migrate", "--check"], ["jobs", "--json"]])
            {
                var result = await cli.RunAsync(command);

                result.AssertFailed(4, "Check the user, the password and the database of the connection string.");
                Assert.Contains("28P01", result.Error, StringComparison.Ordinal);
                Assert.DoesNotContain("wrong55", result.Error, StringComparison.Ordinal);
            }
        }
        finally
        {
            await ExecuteAsync(admin, $"drop role {role}");
        }
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_named_without_the_password()
    {
        await using var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "no_such_database", Password = "secret77" };
        using var cli = new CliFixture(wrong.ConnectionString);

        var result = await cli.RunAsync("status");

        result.AssertFailed(4, "Check the user, the password and the database of the connection string.");
        Assert.DoesNotContain("secret77", result.Error, StringComparison.Ordinal);
    }

    // In a transaction, the list of sessions would stay as it was first read.
    private static async Task UntilOneWaitsForALockAsync(string connectionString, Task call)
    {
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", connection);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!call.IsCompleted && (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))! == 0)
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
