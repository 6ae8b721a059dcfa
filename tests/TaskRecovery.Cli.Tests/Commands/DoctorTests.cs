using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SQLitePCL;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The findings about migrations, nodes, kinds and queues, and how findings are shown. Those about the database are tested with
/// the stores.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Each_finding_is_a_line_with_its_repair()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        await _cli.RunAsync("pause", "kind", "it's", "--new", "--yes", "--reason", "upgrade");
        await _cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--until", "2099-01-01");
        await Database.ExecuteAsync(_cli.ConnectionString, "update taskrecovery_kinds set paused_at = 1000000 "
            + "where paused; update taskrecovery_queues set paused_at = 1000000 where paused");
        using var other = await _cli.JoinAsync("other", "1.0.0", "other");

        var found = await _cli.RunAsync("doctor");
        var json = await _cli.RunAsync("doctor", "--json");

        Assert.Equal((1, 1), (found.ExitCode, json.ExitCode));
        Assert.Contains("warning  unknown kinds: 2 entries of kind render wait, and no living node has a worker for it. Repair: "
            + "Start a node that has one (AddWorker), or: taskrecovery cancel --kind 'render'", found.Lines);
        Assert.Contains("warning  unserved queues: 2 entries of queue default are due, and no living node serves it. Repair: "
            + "Start a node that does (TaskRecoveryOptions.Queues).", found.Lines);
        Assert.Contains(found.Lines, line => line.StartsWith("warning  pauses: The kind it's is paused by ", StringComparison.Ordinal)
            && line.EndsWith(@"taskrecovery resume kind 'it'\''s'", StringComparison.Ordinal));
        Assert.DoesNotContain(found.Lines, line => line.Contains("mail", StringComparison.Ordinal));
        Assert.Contains(found.Lines, line => line.StartsWith("ok       migrations: All ", StringComparison.Ordinal));
        Assert.EndsWith(" to repair.\n", found.Error, StringComparison.Ordinal);
        Assert.Equal(found.Lines.Length, json.Json().GetArrayLength());
    }

    [Fact]
    public async Task A_kind_that_a_filter_can_t_name_has_no_repair_that_selects_other_kinds()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);
        await Database.ExecuteAsync(_cli.ConnectionString, "update taskrecovery_kinds set name = '*'");
        using var other = await _cli.JoinAsync("other", "1.0.0", "other");

        var found = await _cli.RunAsync("doctor");

        Assert.Contains(found.Lines, line => line.StartsWith("warning  unknown kinds: 2 entries of kind * wait", StringComparison.Ordinal));
        Assert.DoesNotContain("--kind", found.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_only_its_attribute_names_is_found_until_a_node_has_run_its_entries()
    {
        await _cli.MigratedAsync();
        await _cli.UseAsync(static services => services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new SendInvoice(7), cancellationToken: TestContext.Current.CancellationToken).AsTask());
        using var other = await _cli.JoinAsync("other", "1.0.0", "other");

        var forgotten = await _cli.RunAsync("doctor");
        var number = await _cli.RunOneAsync<SendInvoice, int>("invoice.send", "default", static invoice => invoice.Number);
        var worked = await _cli.RunAsync("doctor");

        Assert.Contains("warning  unknown kinds: 1 entries of kind invoice.send wait, and no living node has a worker for it. Repair: "
            + "Start a node that has one (AddWorker), or: taskrecovery cancel --kind 'invoice.send'", forgotten.Lines);
        Assert.Equal(7, number);
        Assert.Contains("ok       unknown kinds: Nothing found.", worked.Lines);
    }

    [Fact]
    public async Task Jobs_without_a_task_handler_are_found()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");
        using var other = await _cli.JoinAsync("other", "1.0.0", "other");

        var found = await _cli.RunAsync("doctor");

        Assert.Contains("warning  unknown kinds: 1 entries of kind task:render wait, and no living node has a worker for it. Repair: "
            + "Start a node that has one (AddTaskHandler), or pause or delete its jobs: taskrecovery jobs", found.Lines);
    }

    [Fact]
    public async Task A_job_that_its_application_no_longer_declares_is_found_and_listed()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("it's");
        await Database.ExecuteAsync(
            _cli.ConnectionString, "update taskrecovery_jobs set declared_by = 'shop', orphaned_at = 1000000");

        var found = await _cli.RunAsync("doctor");
        var listed = await _cli.RunAsync("jobs");
        var json = (await _cli.RunAsync("jobs", "--json")).Json()[0];
        await Database.ExecuteAsync(_cli.ConnectionString, "update taskrecovery_jobs set orphaned_at = null");
        var declared = await _cli.RunAsync("doctor");

        Assert.Contains("warning  orphaned jobs: Job it's is no longer declared by shop, since 1970-01-01T00:00:01Z, and is kept. Repair: "
            + @"Declare it again, or: taskrecovery job delete 'it'\''s'", found.Lines);
        Assert.Contains("1970-01-01T00:00:01Z", listed.Lines[1], StringComparison.Ordinal);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(1), json.GetProperty("orphanedAt").GetDateTimeOffset());
        Assert.Contains("ok       orphaned jobs: Nothing found.", declared.Lines);
    }

    [Fact]
    public async Task Silent_nodes_and_mixed_versions_are_found()
    {
        await _cli.MigratedAsync();
        using var first = await _cli.JoinAsync("first", "1.0.0");
        using var second = await _cli.JoinAsync("second", "1.1.0");
        var mixed = await _cli.RunAsync("doctor");
        await _cli.SilenceNodesAsync();

        var silent = await _cli.RunAsync("doctor");

        Assert.Contains("warning  versions: Nodes run different versions of the library: 1.0.0 (first), 1.1.0 (second). Repair: "
            + "Finish the deployment.", mixed.Lines);
        Assert.Contains(silent.Lines, line => line.StartsWith("warning  silent nodes: Node first on ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("update taskrecovery_migrations set checksum = 'other' where version = 2", "problem  migrations: "
        + "Migration 002_jobs_and_tasks is not the one of this version.")]
    [InlineData("delete from taskrecovery_migrations where version > 5", "problem  migrations: ")]
    [InlineData("insert into taskrecovery_migrations select 999, '999_future', 'x', '9.9.9', 0", "problem  migrations: "
        + "Migration 999_future needs version 9.9.9 or later.")]
    [InlineData("insert into taskrecovery_migrations select 999, '999_later', 'x', '0.1.0', 0", "warning  migrations: "
        + "A newer version applied migration 999_later.")]
    public async Task Migrations_of_another_version_are_found(string statement, string line)
    {
        await _cli.MigratedAsync();
        await Database.ExecuteAsync(_cli.ConnectionString, statement);

        var found = await _cli.RunAsync("doctor");

        Assert.Equal(1, found.ExitCode);
        Assert.Contains(found.Lines, shown => shown.StartsWith(line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_does_not_exist_is_not_created()
    {
        (await _cli.RunAsync("doctor")).AssertFailed(3, "does not exist");
        (await _cli.RunAsync("doctor", "--retention", "x")).AssertFailed(3, "does not exist");
        Assert.False(File.Exists(_cli.File));
    }

    [Fact]
    public async Task A_server_is_examined_with_and_without_tables()
    {
        await using var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("cli");
        using var cli = new CliFixture(database.ConnectionString);
        var without = await cli.RunAsync("doctor");
        await cli.MigratedAsync();

        var with = await cli.RunAsync("doctor");

        Assert.Contains(without.Lines, line => line.EndsWith(
            "are missing, from 001_jobs_and_tasks on. Repair: taskrecovery migrate", StringComparison.Ordinal));
        Assert.Contains(with.Lines, line => line.StartsWith("ok       version: PostgreSQL ", StringComparison.Ordinal));
        Assert.Contains("ok       pauses: Nothing found.", with.Lines);
    }

    [Fact]
    public async Task A_question_that_the_role_may_not_ask_costs_only_its_own_checks()
    {
        await using var store = await EitherStore.CreateAsync(onServer: true);
        var role = $"ops_{Guid.NewGuid():n}";
        await store.ExecuteAsync($"create role {role} login password 'right44'; grant usage on schema taskrecovery to {role}; "
            + $"grant select on all tables in schema taskrecovery to {role}; revoke select on {{nodes}} from {role}");
        try
        {
            var reader = new NpgsqlConnectionStringBuilder(store.Cli.ConnectionString)
            {
                Username = role,
                Password = "right44",
                Pooling = false,
            };
            using var cli = new CliFixture(reader.ConnectionString);

            var found = await cli.RunAsync("doctor");

            Assert.Equal(1, found.ExitCode);
            Assert.Contains(found.Lines, static line => line.StartsWith("warning  rights: Role ", StringComparison.Ordinal));
            Assert.Contains(found.Lines, static line => line.StartsWith(
                "warning  silent nodes: This could not be checked. Repair: The role may not do this", StringComparison.Ordinal));
            Assert.Contains("ok       orphaned jobs: Nothing found.", found.Lines);
        }
        finally
        {
            await store.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task A_table_that_another_session_locks_costs_only_the_checks_that_need_it()
    {
        await using var store = await EitherStore.CreateAsync(onServer: true);
        var role = $"ops_{Guid.NewGuid():n}";
        await store.ExecuteAsync($"create role {role} login password 'right44'; grant usage on schema taskrecovery to {role}; "
            + $"grant select on all tables in schema taskrecovery to {role}; alter role {role} set lock_timeout = '50ms'");
        try
        {
            var reader = new NpgsqlConnectionStringBuilder(store.Cli.ConnectionString)
            {
                Username = role,
                Password = "right44",
                Pooling = false,
            };
            using var cli = new CliFixture(reader.ConnectionString);

            CliResult found;
            await using (await store.HoldAsync("lock table taskrecovery.waiting in access exclusive mode"))
            {
                found = await cli.RunAsync("doctor");
            }

            Assert.Equal(1, found.ExitCode);
            Assert.Contains(found.Lines, static line => line.StartsWith(
                "warning  unserved queues: This could not be checked. Repair: PostgreSQL did not confirm (55P03",
                StringComparison.Ordinal));
            Assert.Contains("ok       orphaned jobs: Nothing found.", found.Lines);
        }
        finally
        {
            await store.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Theory]
    [InlineData("XX001", true)]
    [InlineData("58030", true)]
    [InlineData("53200", true)]
    [InlineData("57P01", false)]
    [InlineData("08006", false)]
    [InlineData("28P01", false)]
    [InlineData("53300", false)]
    [InlineData("3D000", false)]
    public void An_error_with_which_the_server_answers_is_of_one_question(string state, bool expected)
        => Assert.Equal(expected, DoctorCheck.IsOfOneQuestion(
            new StoreUnavailableException("not confirmed", new PostgresException("no", "ERROR", "ERROR", state))));

    [Theory]
    [InlineData(raw.SQLITE_IOERR, true)]
    [InlineData(raw.SQLITE_CORRUPT, true)]
    [InlineData(raw.SQLITE_NOTADB, false)]
    [InlineData(raw.SQLITE_CANTOPEN, false)]
    [InlineData(raw.SQLITE_BUSY, false)]
    public void An_error_of_a_part_of_a_file_is_of_one_question(int code, bool expected)
        => Assert.Equal(expected, DoctorCheck.IsOfOneQuestion(
            new StoreUnavailableException("not usable", new SqliteException("no", code))));

    [Fact]
    public async Task A_question_that_takes_too_long_is_a_finding_and_a_lost_server_ends_the_command()
    {
        var slow = Assert.Single(await DoctorCheck.TryAsync("kinds", static () => throw new TimeoutException("Set EntryQuery.Queue.")));

        Assert.Equal((FindingLevel.Warning, "This could not be checked."), (slow.Level, slow.Text));
        Assert.DoesNotContain("EntryQuery", slow.Repair, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreUnavailableException>(
            static () => DoctorCheck.TryAsync("kinds", static () => throw new StoreUnavailableException("gone")));
    }

    [Fact]
    public async Task What_was_found_before_the_database_was_lost_is_kept()
    {
        var first = new StoreFinding("disk", FindingLevel.Problem, "The disk is full.");
        var gone = new StoreUnavailableException("gone");

        var (found, lost) = await DoctorCheck.CollectAsync(
        [
            _ => Task.FromResult<IReadOnlyList<StoreFinding>>([first]),
            _ => Task.FromException<IReadOnlyList<StoreFinding>>(gone),
            _ => throw new InvalidOperationException("This group is not asked for."),
        ]);

        Assert.Equal([("disk", FindingLevel.Problem), ("connection", FindingLevel.Problem)], found.Select(
            static finding => (finding.Check, finding.Level)));
        Assert.Same(gone, lost);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => DoctorCheck.CollectAsync([_ => throw gone]));
    }

    [JobKind("invoice.send")]
    internal sealed record SendInvoice(int Number);
}
