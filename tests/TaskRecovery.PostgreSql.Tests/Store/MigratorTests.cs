using System.Text.RegularExpressions;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What the migrator does with a database that is not as it should be.</summary>
public sealed class MigratorTests : PostgreSqlStoreTests
{
    private protected override bool StartMigrated => false;

    [Fact]
    public async Task Concurrent_migrators_of_an_old_database_apply_each_migration_once()
    {
        await GivenLegacyAsync(2);

        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation)));

        Assert.Equal(PostgreSqlMigrator.Known.Skip(2).Select(migration => migration.Name), applied.SelectMany(names => names).Order(
            StringComparer.Ordinal));
        Assert.Equal(PostgreSqlMigrator.Known.Count, await ScalarAsync<long>("select count(*) from taskrecovery.taskrecovery_migrations"));
    }

    [Fact]
    public async Task A_migration_that_was_changed_after_it_had_been_applied_is_refused()
    {
        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);
        await ExecuteAsync("update taskrecovery.taskrecovery_migrations set checksum = 'other' where version = 4");

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation));

        Assert.Contains("004_queue", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_older_library_still_stores_is_found_and_cancelled()
    {
        var store = await OpenStoreAsync(Open());
        var stored = await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set found_by_id = default");

        Assert.Equal(EntryState.Waiting, (await store.FindAsync(stored[0].Id, Cancellation))!.State);
        Assert.True(await store.CancelAsync(stored[0].Id, Cancellation));
        Assert.Equal(EntryState.Cancelled, (await store.FindAsync(stored[0].Id, Cancellation))!.State);
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task The_invariant_names_a_waiting_row_that_somebody_has_moved()
    {
        var store = await OpenStoreAsync(Open());
        var stored = await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set priority = 0");

        Assert.Equal(
            [$"entry {stored[0].Id} waits at a place where a look-up by id misses it"], await store.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task A_newer_migration_that_this_library_can_work_with_does_not_stop_it()
    {
        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);
        await ExecuteAsync("insert into taskrecovery.taskrecovery_migrations (version, name, checksum, oldest_library) "
            + "values (900, '900_later', 'x', '0.1.0')");

        Assert.Empty(await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation));
    }

    [Fact]
    public async Task A_library_that_is_too_old_for_the_database_is_told_so()
    {
        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);
        await ExecuteAsync("insert into taskrecovery.taskrecovery_migrations (version, name, checksum, oldest_library) "
            + "values (900, '900_later', 'x', '7.1.0')");

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync());

        Assert.Contains("900_later", exception.Message, StringComparison.Ordinal);
        Assert.Contains("7.1.0", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_behind_and_can_be_tried_again()
    {
        var database = Open();
        var broken = Migration.Parse("900_broken", "-- oldest library: 0.1.0\ncreate table {schema}.half (id int);\nselect 1 / 0;\n");
        var migrator = new PostgreSqlMigrator(database, [.. PostgreSqlMigrator.Known, broken], new Version(0, 1, 0));

        await Assert.ThrowsAsync<PostgresException>(() => migrator.MigrateAsync(Cancellation));

        Assert.Equal(["900_broken"], await migrator.FindMissingAsync(Cancellation));
        Assert.False(await ScalarAsync<bool>("select to_regclass('taskrecovery.half') is not null"));
    }

    [Fact]
    public async Task Tables_of_somebody_else_are_not_touched()
    {
        await ExecuteAsync("create schema taskrecovery; create table taskrecovery.jobs (id int primary key)");

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation));

        Assert.Contains("PostgreSqlOptions.Schema", exception.Message, StringComparison.Ordinal);
        Assert.False(await ScalarAsync<bool>("select to_regclass('taskrecovery.taskrecovery_migrations') is not null"));
    }

    [Theory]
    [InlineData("public")]
    [InlineData("Mixed Case")]
    [InlineData("a \"quoted\" name")]
    [InlineData("o'brien; drop table x")]
    [InlineData("größe.mit.punkten")]
    public async Task Any_schema_name_works(string schema)
    {
        var store = await OpenStoreAsync(Open(options => options.Schema = schema));
        using var node = store.OpenNodeSession();
        var identity = Identity();
        node.Register(identity);
        await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key")], null, Cancellation);

        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(10, default, Cancellation);

        Assert.Equal(2, batch.Entries.Count);
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
    }

    [Theory]
    [InlineData("{schema}")]
    [InlineData("a}")]
    [InlineData("two\nlines")]
    [InlineData("\u202Eecnalab")]
    public void A_schema_name_that_would_be_shown_as_another_is_refused(string schema)
    {
        var result = new PostgreSqlOptionsValidator().Validate(null, new PostgreSqlOptions { Schema = schema });

        Assert.Contains("PostgreSqlOptions.Schema", result.FailureMessage, StringComparison.Ordinal);
        Assert.DoesNotContain(schema, result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_without_the_right_to_create_runs_everything_but_the_migrations()
    {
        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);
        var role = $"worker_{Guid.NewGuid():n}";
        await ExecuteAsync($"""
            create role {role} login password 'secret';
            grant usage on schema taskrecovery to {role};
            grant select, insert, update, delete on all tables in schema taskrecovery to {role};
            grant usage on all sequences in schema taskrecovery to {role};
            """);
        try
        {
            var asRole = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "secret" };
            var store = await OpenStoreAsync(Open(connectionString: asRole.ConnectionString));
            using var node = store.OpenNodeSession();
            var identity = Identity();
            Assert.True(node.Register(identity).HoldsLock);
            Assert.True(node.SendHeartbeat(identity.Id, holdsLock: true).Accepted);
            await store.EnqueueAsync([Entry()], null, Cancellation);
            var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(10, default, Cancellation);
            node.Leave(identity.Id);

            Assert.Equal(1, (await store.SweepAsync(3, Cancellation)).Recovered);
            Assert.Single(batch.Entries);
        }
        finally
        {
            await ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task A_role_that_may_not_create_the_schema_is_told_the_grant_that_cures_it()
    {
        var role = $"app_{Guid.NewGuid():n}";
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "secret" }.ConnectionString;
        await ExecuteAsync($"create role {role} login password 'secret'");
        try
        {
            var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync(Open(connectionString: connection)));

            var cure = Regex.Match(exception.Message, "grant create on database [^;]+");
            Assert.True(cure.Success, exception.Message);
            await ExecuteAsync(cure.Value);
            await OpenStoreAsync(Open(connectionString: connection));
        }
        finally
        {
            await ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task Limits_of_the_role_or_the_database_do_not_bound_migrations()
    {
        await ExecuteAsync("do $$ begin execute format('alter database %I set statement_timeout = 1000', current_database()); "
            + "execute format('alter database %I set lock_timeout = 50', current_database()); end $$");
        var slow = Migration.Parse("900_slow", "-- oldest library: 0.1.0\nselect pg_sleep(2);\nlock table {schema}.queues;\n");
        await new PostgreSqlMigrator(Open(), PostgreSqlMigrator.Known, new Version(0, 1, 0)).MigrateAsync(Cancellation);
        await using var holder =
            new NpgsqlConnection(ConnectionString + ";Pooling=false;Options=-c statement_timeout=0 -c lock_timeout=0");
        await holder.OpenAsync(Cancellation);
        await using var hold = new NpgsqlCommand("begin; lock table taskrecovery.queues; select pg_sleep(0.6); commit", holder);

        var holding = hold.ExecuteNonQueryAsync(Cancellation);
        var applied = await new PostgreSqlMigrator(Open(), [.. PostgreSqlMigrator.Known, slow], new Version(0, 1, 0))
            .MigrateAsync(Cancellation);

        await holding;
        Assert.Equal(["900_slow"], applied);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.DeadlockDetected)]
    [InlineData(PostgresErrorCodes.SerializationFailure)]
    public async Task A_migration_that_the_server_ended_because_of_a_conflict_is_tried_again(string state)
    {
        var beaten = await GivenMigrationThatFailsAsync(state, times: 2);

        Assert.Equal(["900_beaten"], await beaten.MigrateAsync(Cancellation));
        Assert.Equal(3L, await ScalarAsync<long>("select last_value from attempts"));
    }

    [Fact]
    public async Task A_migration_that_the_server_always_ends_is_given_up()
    {
        var beaten = await GivenMigrationThatFailsAsync(PostgresErrorCodes.DeadlockDetected, times: 1000);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => beaten.MigrateAsync(Cancellation));

        Assert.Equal(10L, await ScalarAsync<long>("select last_value from attempts"));
    }

    [Fact]
    public async Task A_migration_that_waits_for_the_claims_holds_no_table_that_nodes_lock_after_them()
    {
        await GivenMigrationsBeforeAsync(23);
        await using var holder = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await holder.OpenAsync(Cancellation);
        await using var hold = new NpgsqlCommand("begin; lock table taskrecovery.claims in row exclusive mode", holder);
        await hold.ExecuteNonQueryAsync(Cancellation);

        var migrating = new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);
        await UntilOneWaitsForALockAsync();
        var locked = await ScalarAsync<long>("select count(*) from pg_locks where relation = 'taskrecovery.checkpoints'::regclass");
        await using var release = new NpgsqlCommand("commit", holder);
        await release.ExecuteNonQueryAsync(Cancellation);

        Assert.Equal("023_order_of_progress", (await migrating)[0]);
        Assert.Equal(0L, locked);
    }

    [Fact]
    public async Task A_script_locks_the_claims_before_it_changes_checkpoints()
    {
        var script = await new PostgreSqlMigrator(Open()).GetScriptAsync(23, Cancellation);

        var changed = script.IndexOf("alter table \"taskrecovery\".checkpoints", StringComparison.Ordinal);
        Assert.InRange(script.IndexOf("lock table \"taskrecovery\".claims", StringComparison.Ordinal), 1, changed);
    }

    [Fact]
    public async Task Unfinished_tasks_that_were_not_listed_before_the_migration_are_listed_by_it()
    {
        await GivenMigrationsBeforeAsync(26);
        await ExecuteAsync("""
            insert into taskrecovery.tasks (id, job_id) values (gen_random_uuid(), gen_random_uuid());
            truncate taskrecovery.unfinished_tasks
            """);

        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);

        Assert.Equal(1L, await ScalarAsync<long>("""
            select count(*) from taskrecovery.tasks t join taskrecovery.unfinished_tasks u on u.job_id = t.job_id and u.task = t.id
            """));
    }

    [Fact]
    public async Task The_migrations_to_domains_write_no_table_and_no_index_again()
    {
        const string Files = """
            select string_agg(c.relname || ' ' || c.relfilenode, ', ' order by c.relname) from pg_class c
            where c.relnamespace = 'taskrecovery'::regnamespace and c.relkind in ('r', 'i') and c.relname ~ '^(entries|waiting)'
            """;
        await GivenMigrationsBeforeAsync(28);
        await ExecuteAsync("""
            insert into taskrecovery.entries (created_at, queue, kind, priority, max_attempts, args) values (now(), 1, 1, 5, 1, '{}');
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select now(), id, 1, 1, 5 from taskrecovery.entries
            """);
        var before = await ScalarAsync<string>(Files);

        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);

        Assert.Equal(before, await ScalarAsync<string>(Files));
    }

    [Fact]
    public async Task A_session_that_has_planned_the_trigger_of_the_roles_enqueues_after_each_migration_to_domains()
    {
        const string Enqueue = """
            with stored as (
                insert into taskrecovery.entries (created_at, queue, kind, priority, max_attempts, args) values (now(), 1, 1, 5, 1, '{}')
                returning id
            )
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select now(), id, 1, 1, 5 from stored
            """;
        await GivenMigrationsBeforeAsync(28);
        await ExecuteAsync("""
            create function taskrecovery.refuse_old_entry() returns trigger language plpgsql as $$
            begin
                if new.attempt = 0 and new.crashes = 0 and new.priority >= 0
                    and exists (select from taskrecovery.entries e where e.id = new.id)
                then
                    return null;
                end if;
                raise insufficient_privilege;
            end
            $$;
            create trigger refuse_old_entry after insert on taskrecovery.waiting
                for each row execute function taskrecovery.refuse_old_entry()
            """);
        await using var session = await ConnectAsync();
        await using var enqueue = new NpgsqlCommand(Enqueue, session);
        for (var version = 28; version <= 31; version++)
        {
            await GivenMigrationsBeforeAsync(version);
            for (var entry = 0; entry < 10; entry++)
            {
                await enqueue.ExecuteNonQueryAsync(Cancellation);
            }
        }

        Assert.Equal(40L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task Without_migrations_at_start_the_message_names_what_is_missing()
    {
        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => OpenStoreAsync(Open(options => options.MigrateOnStart = false)));

        Assert.Contains("001_jobs_and_tasks", exception.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(IStoreMigrator), exception.Message, StringComparison.Ordinal);
    }

    private async Task<PostgreSqlMigrator> GivenMigrationThatFailsAsync(string state, int times)
    {
        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);

        // What a sequence has counted stays when the migration is rolled back.
        await ExecuteAsync("create sequence attempts");
        var beaten = Migration.Parse("900_beaten", $"-- oldest library: 0.1.0\ndo $$ begin if nextval('public.attempts') <= {times} then "
            + $"raise exception 'beaten' using errcode = '{state}'; end if; end $$;\n");
        return new PostgreSqlMigrator(Open(), [.. PostgreSqlMigrator.Known, beaten], new Version(0, 1, 0));
    }

    private Task<IReadOnlyList<string>> GivenMigrationsBeforeAsync(int version)
        => new PostgreSqlMigrator(
            Open(), [.. PostgreSqlMigrator.Known.Where(migration => migration.Version < version)], new Version(0, 1, 0))
            .MigrateAsync(Cancellation);

    private async Task GivenLegacyAsync(int version)
    {
        await ExecuteAsync("create schema taskrecovery");
        foreach (var migration in PostgreSqlMigrator.Known.Where(migration => migration.Version <= version))
        {
            await ExecuteAsync(migration.Text.Replace("{schema}", "taskrecovery", StringComparison.Ordinal));
        }
    }
}
