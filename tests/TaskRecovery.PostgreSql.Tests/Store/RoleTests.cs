using System.Text.RegularExpressions;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>The four roles of docs/deployment.md, with the SQL that is printed there: each can do its work, and nothing else.</summary>
public sealed partial class RoleTests : PostgreSqlStoreTests
{
    private const string Migrations =
        "insert into taskrecovery.taskrecovery_migrations (version, name, checksum, oldest_library) values (900, 'x', 'x', '99.0.0')";

    private readonly string _suffix = Guid.NewGuid().ToString("n")[..8];

    private protected override bool StartMigrated => false;

    [Fact]
    public Task The_migrator_creates_and_changes_the_tables_of_its_own_schema_only()
        => WithRolesAsync(async () =>
        {
            var migrator = Open(connectionString: As("migrator"));
            Assert.Empty(await new PostgreSqlMigrator(migrator).MigrateAsync(Cancellation));
            await ExecuteAsAsync(
                "migrator", "alter table taskrecovery.jobs add column extra int; alter table taskrecovery.jobs drop column extra");
            await AssertDeniedAsync("migrator", "create schema other", "create table public.other (id int)");
        });

    [Fact]
    public Task The_worker_does_all_work_and_changes_no_table()
        => WithRolesAsync(async () =>
        {
            var database = Open(options => options.MigrateOnStart = false, As("worker"));
            var store = await OpenStoreAsync(database);
            var jobs = new PostgreSqlJobStore(database, store);
            var identity = Identity();
            using var node = store.OpenNodeSession();
            node.Register(identity);
            Assert.True(node.SendHeartbeat(identity.Id, holdsLock: true).Accepted);
            var job = await jobs.UpsertAsync(
                new NewJob(new JobDefinition(
                    "report", Schedule.Every(TimeSpan.FromHours(1))), "report", "task:report", "{}"u8.ToArray(), 10), Cancellation);
            var stored = await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key"), Entry(), Entry()], null, Cancellation);
            var batch = await store.CreateClaimer(identity.Id, "default", ["test", "task:report"]).ClaimAsync(
                10, new SuspectAllowance(3, 1000, 1), Cancellation);
            Assert.Equal(5, batch.Entries.Count);
            var run = Assert.Single(batch.Entries, entry => entry.Kind == "task:report");
            await jobs.StartTaskAsync(new TaskStartRequest(identity.Id, run.Id, batch.Fence, job.Id, null, 1, run.Kind), Cancellation);
            await store.SaveStepAsync(identity.Id, new ProgressKey(stored[0].Id, null), batch.Fence, "step", "1"u8.ToArray(), Cancellation);
            Assert.Empty(await store.FinishAsync(
                identity.Id, [Outcome(stored[0].Id, batch.Fence), Outcome(stored[1].Id, batch.Fence, OutcomeKind.Failed)], Cancellation));
            Assert.Equal(OperatorResult.Done, await store.RetryAsync(stored[1].Id, RetryFrom.Start, Cancellation));
            Assert.True(await store.CancelAsync(stored[2].Id, Cancellation));
            Assert.Equal(1, await store.EraseAsync(EraseTarget.Entry(stored[3].Id), Cancellation));
            await store.SetPausedAsync("default", paused: true, Cancellation);
            await store.PurgeAsync(new RetentionOptions(), Cancellation);
            await jobs.RecoverTasksAsync(TimeSpan.FromDays(1), 3, Cancellation);
            node.Leave(identity.Id);
            Assert.NotEqual(0, (await store.SweepAsync(3, Cancellation)).Recovered);
            Assert.Empty(await store.CheckInvariantsAsync(Cancellation));

            await AssertDeniedAsync(
                "worker", Migrations, "delete from taskrecovery.taskrecovery_migrations",
                "drop table taskrecovery.steps", "truncate taskrecovery.steps",
                "alter table taskrecovery.jobs add column extra int", "create table taskrecovery.other (id int)",
                "create function taskrecovery.f() returns int return 1");
        });

    [Fact]
    public Task A_worker_without_a_grant_reports_it_when_it_sweeps()
        => WithRolesAsync(async () =>
        {
            var store = await OpenStoreAsync(Open(options => options.MigrateOnStart = false, As("worker")));
            var identity = Identity();
            using var node = store.OpenNodeSession();
            node.Register(identity);
            await store.EnqueueAsync([Entry()], null, Cancellation);
            var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
                1, new SuspectAllowance(3, 0, 0), Cancellation);
            Assert.Single(batch.Entries);
            node.Leave(identity.Id);
            await ExecuteAsAsync("migrator", $"revoke insert on taskrecovery.outcomes from {Name("worker")}");

            var report = await store.SweepAsync(3, Cancellation);

            Assert.Empty(report.Items);
            Assert.Contains(
                "grant select, insert, update, delete", Assert.IsType<StoreConfigurationException>(report.Failure).Message,
                StringComparison.Ordinal);
        });

    [Fact]
    public Task The_worker_does_all_work_where_nobody_may_call_functions_by_default()
        => WithRolesAsync(
            async () =>
            {
                var database = Open(options => options.MigrateOnStart = false, As("worker"));
                var store = await OpenStoreAsync(database);
                var identity = Identity();
                using var node = store.OpenNodeSession();
                node.Register(identity);
                var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
                var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
                    1, new SuspectAllowance(3, 0, 0), Cancellation);

                await using (var connection = await ConnectAsync(As("worker")))
                {
                    await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                    await store.FinishInTransactionAsync(identity.Id, Outcome(id, batch.Fence), transaction, Cancellation);
                    await transaction.CommitAsync(Cancellation);
                }

                Assert.False(await new PostgreSqlMonitorStore(database).CondenseAsync(Cancellation));
                Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.outcomes where final"));
            },
            asMigrator: "alter default privileges revoke execute on functions from public");

    [Fact]
    public Task The_enqueuer_adds_entries_and_reads_none()
        => WithRolesAsync(async () =>
        {
            var store = await OpenStoreAsync(Open(options => options.MigrateOnStart = false, As("enqueuer")));
            var stored = await store.EnqueueAsync([Entry(), Entry(queue: "other", after: TimeSpan.FromHours(1))], null, Cancellation);
            var keyed = await store.EnqueueAsync([Entry(uniqueKey: "key")], null, Cancellation);
            Assert.Equal((keyed[0].Id, true), ((await store.EnqueueAsync([Entry(uniqueKey: "key")], null, Cancellation))[0] is var again
                ? (again.Id, again.IsDuplicate)
                : default));
            await using (var connection = new NpgsqlConnection(As("enqueuer")))
            {
                await connection.OpenAsync(Cancellation);
                await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                await store.EnqueueAsync([Entry(), Entry(uniqueKey: "other")], transaction, Cancellation);
                await transaction.CommitAsync(Cancellation);
            }

            Assert.Equal([("default", 4L), ("other", 0L)], (await store.MeasureAsync(Cancellation)).Select(
                depth => (depth.Queue, depth.Due)));
            await Assert.ThrowsAsync<StoreConfigurationException>(async () => await store.FindAsync(stored[0].Id, Cancellation));
            await Assert.ThrowsAsync<StoreConfigurationException>(async () => await store.CancelAsync(stored[0].Id, Cancellation));
            await Assert.ThrowsAsync<StoreConfigurationException>(
                async () => await store.SetPausedAsync("default", paused: true, Cancellation));
            await AssertDeniedAsync(
                "enqueuer", Migrations, "select args from taskrecovery.entries",
                "select result from taskrecovery.outcomes", "select * from taskrecovery.nodes",
                "select * from taskrecovery.heartbeats", "update taskrecovery.heartbeats set beat = 0",
                "update taskrecovery.queues set paused = true",
                "update taskrecovery.waiting set run_at = 'infinity'", "delete from taskrecovery.waiting",
                "delete from taskrecovery.unique_keys", "insert into taskrecovery.jobs select * from taskrecovery.jobs",
                "insert into taskrecovery.nodes (name) values ('x')",
                "insert into taskrecovery.outcomes select * from taskrecovery.outcomes",
                "select nextval('taskrecovery.fences')", "create table taskrecovery.other (id int)");
            Assert.Empty(await (await OpenStoreAsync()).CheckInvariantsAsync(Cancellation));
        });

    [Fact]
    public Task The_enqueuer_adds_a_lone_entry_in_each_way()
        => WithRolesAsync(async () =>
        {
            var store = await OpenStoreAsync(Open(options => options.MigrateOnStart = false, As("enqueuer")));
            await store.EnqueueAsync([Entry()], null, Cancellation);
            await store.EnqueueAsync([Entry(after: TimeSpan.FromHours(1))], null, Cancellation);
            await using var connection = new NpgsqlConnection(As("enqueuer"));
            await connection.OpenAsync(Cancellation);
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await store.EnqueueAsync([Entry()], transaction, Cancellation);
            await transaction.SaveAsync("one", Cancellation);
            await store.EnqueueAsync([Entry()], transaction, Cancellation);
            await transaction.SaveAsync("two", Cancellation);
            await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key")], transaction, Cancellation);
            await transaction.ReleaseAsync("two", Cancellation);
            await store.EnqueueAsync([Entry()], transaction, Cancellation);
            await transaction.RollbackAsync("one", Cancellation);
            await store.EnqueueAsync([Entry()], transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);

            Assert.Equal(4L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
            Assert.Empty(await (await OpenStoreAsync()).CheckInvariantsAsync(Cancellation));
        });

    [Fact]
    public Task The_enqueuer_can_t_run_an_entry_once_more()
        => WithRolesAsync(async () =>
        {
            var store = await OpenStoreAsync();
            var identity = Identity();
            using var node = store.OpenNodeSession();
            node.Register(identity);
            var ids = (await store.EnqueueAsync([Entry(), Entry(), Entry()], null, Cancellation)).Select(result => result.Id).ToArray();
            var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(
                2, new SuspectAllowance(3, 0, 0), Cancellation);
            await store.FinishAsync(identity.Id, [Outcome(ids[0], batch.Fence)], Cancellation);
            const string own = "insert into taskrecovery.entries (id, queue, kind, priority, max_attempts, args) overriding system value "
                + "values (1000000, 1, 1, 5, 10, '{}')";

            var again = Waiting(1000000, "5, false, 0, 0");
            await AssertDeniedAsync("enqueuer", [.. ids.Select(id => Waiting(id, "5, false, 0, 0"))]);
            await AssertDeniedAsync("enqueuer", [.. ids.Select(id => Waiting(id, "5, true, 0, 0"))]);
            await AssertDeniedAsync(
                "enqueuer", again, $"{own}; {Waiting(1000000, "-1, false, 0, 0")}", $"{own}; {Waiting(1000000, "5, false, 32767, 0")}",
                $"{own}; {Waiting(1000000, "5, false, 0, 1")}", $"begin; {own}; commit; {again}");
            await store.FinishAsync(
                identity.Id, [new RunOutcome { EntryId = ids[1], Fence = batch.Fence, Kind = OutcomeKind.Retried }], Cancellation);

            Assert.Equal(2L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
        });

    [Fact]
    public Task The_reader_reads_everything_and_writes_nothing()
        => WithRolesAsync(async () =>
        {
            var stored = await (await OpenStoreAsync()).EnqueueAsync([Entry(args: """{"a":1}""")], null, Cancellation);

            var store = await OpenStoreAsync(Open(options => options.MigrateOnStart = false, As("reader")));

            Assert.Equal("""{"a":1}""", (await store.FindAsync(stored[0].Id, Cancellation))!.Args);
            Assert.Single((await store.ListAsync(new EntryFilter { State = EntryState.Waiting }, Cancellation)).Entries);
            Assert.Equal(1, (await store.CountAsync(null, Cancellation)).Due.Value);
            Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
            await Assert.ThrowsAsync<StoreConfigurationException>(async () => await store.EnqueueAsync([Entry()], null, Cancellation));
            await AssertDeniedAsync(
                "reader", Migrations, "insert into taskrecovery.queues (name) values ('x')", "update taskrecovery.entries set args = ''",
                "delete from taskrecovery.outcomes", "select 1 from taskrecovery.nodes for update",
                "update taskrecovery.heartbeats set beat = 0",
                "select nextval('taskrecovery.fences')");
        });

    [Theory]
    [InlineData("select on table pg_catalog.pg_database")]
    [InlineData("execute on function pg_catalog.pg_control_system()")]
    [InlineData("execute on function pg_catalog.pg_control_system(), pg_catalog.pg_stat_get_activity(integer)")]
    public Task A_role_that_may_not_ask_which_database_it_has_reached_enqueues_in_its_own_transaction(string right)
        => WithRolesAsync(async () =>
        {
            await ExecuteAsync($"revoke {right} from public");
            var store = await OpenStoreAsync();
            await using var connection = await ConnectAsync(As("enqueuer"));
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);

            await store.EnqueueAsync([Entry()], transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);

            Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.entries"));
        });

    [Fact]
    public Task A_worker_that_may_not_read_the_catalog_of_databases_starts_and_sees_the_locks_of_others()
        => WithRolesAsync(async () =>
        {
            await ExecuteAsync("revoke select on table pg_catalog.pg_database from public");
            var store = await OpenStoreAsync(Open(options => options.MigrateOnStart = false, As("worker")));
            using var first = store.OpenNodeSession();
            using var second = store.OpenNodeSession();
            var (mine, other) = (Identity("mine"), Identity("other"));
            first.Register(mine);
            second.Register(other);
            Assert.True(second.SendHeartbeat(other.Id, holdsLock: true).Accepted);

            var peer = Assert.Single(first.SendHeartbeat(mine.Id, holdsLock: true).Peers);

            Assert.Equal((other.Id, true), (peer.NodeId, peer.LockIsHeld));
        });

    [Fact]
    public Task A_role_that_may_not_ask_which_server_it_has_reached_has_to_use_the_name_of_the_store()
        => WithRolesAsync(async () =>
        {
            await ExecuteAsync("revoke execute on function pg_catalog.pg_control_system() from public");
            var store = await OpenStoreAsync();
            await using var pooler = await PgBouncer.StartAsync(ConnectionString, "session", alias: "app_session");
            await using var connection = await ConnectAsync(
                new NpgsqlConnectionStringBuilder(pooler.ConnectionString) { Database = "app_session" }.ConnectionString);
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);

            // The pooler connects as a superuser.
            await using var command = new NpgsqlCommand($"set local role {Name("enqueuer")}", connection);
            await command.ExecuteNonQueryAsync(Cancellation);

            var refused = await Assert.ThrowsAsync<ArgumentException>(
                async () => await store.EnqueueAsync([Entry()], transaction, Cancellation));
            Assert.Contains("pg_control_system()", refused.Message, StringComparison.Ordinal);
            await transaction.CommitAsync(Cancellation);
        });

    private static string Waiting(long id, string values)
        => "insert into taskrecovery.waiting (run_at, id, queue, kind, priority, found_by_id, attempt, crashes) "
            + $"values (clock_timestamp(), {id}, 1, 1, {values})";

    private static RunOutcome Outcome(long entryId, long fence, OutcomeKind kind = OutcomeKind.Completed)
        => new() { EntryId = entryId, Fence = fence, Kind = kind, Duration = TimeSpan.FromMilliseconds(5), HasUniqueKey = true };

    // The migrator runs its statement before it migrates.
    private async Task WithRolesAsync(Func<Task> work, string? asMigrator = null)
    {
        var blocks = Printed();
        var (create, grant) = (blocks[0], blocks[1]);
        var database = new NpgsqlConnectionStringBuilder(ConnectionString).Database!;
        await ExecuteAsync(Own(create).Replace("database app", $"database \"{database}\"", StringComparison.Ordinal));
        try
        {
            foreach (var role in new[] { "migrator", "worker", "enqueuer", "reader" })
            {
                await ExecuteAsync($"alter role {Name(role)} password 'secret'");
            }

            if (asMigrator is not null)
            {
                await ExecuteAsAsync("migrator", asMigrator);
            }

            await new PostgreSqlMigrator(Open(connectionString: As("migrator"))).MigrateAsync(Cancellation);
            await ExecuteAsAsync("migrator", Own(grant));
            await ExecuteAsAsync("migrator", Own(grant));
            await work();
        }
        finally
        {
            await ExecuteAsync(string.Join(';', new[] { "worker", "enqueuer", "reader", "migrator" }.Select(
                role => $"drop owned by {Name(role)} cascade; drop role {Name(role)}")));
        }
    }

    private static string[] Printed()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "deployment.md"));
        var section = page[page.IndexOf("## Roles and grants", StringComparison.Ordinal)..];
        return [.. SqlBlock().Matches(section).Select(match => match.Groups["sql"].Value)];
    }

    private string Name(string role) => $"taskrecovery_{role}_{_suffix}";

    // Roles belong to the whole server, on which other tests run.
    private string Own(string statements) => RoleName().Replace(statements, match => $"{match.Value}_{_suffix}");

    private string As(string role)
        => new NpgsqlConnectionStringBuilder(ConnectionString) { Username = Name(role), Password = "secret" }.ConnectionString;

    private async Task ExecuteAsAsync(string role, string statement)
    {
        await using var connection = await ConnectAsync(As(role));
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task AssertDeniedAsync(string role, params string[] statements)
    {
        foreach (var statement in statements)
        {
            var exception = await Record.ExceptionAsync(() => ExecuteAsAsync(role, statement));
            Assert.True(
                exception is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege },
                $"{role}: {statement}: {exception?.Message ?? "was done"}");
        }
    }

    [GeneratedRegex("```sql\n(?<sql>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex SqlBlock();

    [GeneratedRegex("taskrecovery_(?<role>migrator|worker|enqueuer|reader)", RegexOptions.ExplicitCapture)]
    private static partial Regex RoleName();
}
