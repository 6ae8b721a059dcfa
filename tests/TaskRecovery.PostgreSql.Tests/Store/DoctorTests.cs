using System.Globalization;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Every finding of the doctor is provoked, and every repair that is a statement removes its finding.</summary>
public sealed class DoctorTests : PostgreSqlStoreTests
{
    private const string Blocker = "blocker";

    private static readonly DoctorLimits Strict = new()
    {
        DeadRows = 100,
        Snapshot = TimeSpan.Zero,
        SlotBytes = 0,
        Claim = TimeSpan.Zero,
        Retention = TimeSpan.Zero,
        BloatBytes = 1,
    };

    [Fact]
    public async Task A_sound_database_has_no_finding()
    {
        await OpenStoreAsync();

        var findings = await ExamineAsync();

        // The server of the tests writes without waiting for the disk.
        Assert.All(findings.Where(finding => finding.Check != "durability"), finding => Assert.Equal(
            (FindingLevel.Ok, null), (finding.Level, finding.Repair)));
        Assert.Equal(20, findings.Select(finding => finding.Check).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Every_finding_names_a_repair_that_works()
    {
        var (role, slot) = ($"ops \"{Guid.NewGuid():n}\"", $"slot_{Guid.NewGuid():n}");
        var schema = await PrepareAsync();
        await ExecuteAsync($"""
            create role {PostgreSqlDatabase.Quote(role)} login password 'secret' connection limit 8;
            grant pg_monitor to {PostgreSqlDatabase.Quote(role)};
            grant usage on schema {schema} to {PostgreSqlDatabase.Quote(role)};
            grant create on schema {schema} to public;
            grant select on all tables in schema {schema} to {PostgreSqlDatabase.Quote(role)};
            alter role {PostgreSqlDatabase.Quote(role)} set default_transaction_isolation = 'serializable';
            drop index {schema}.claims_node_idx;
            update pg_index set indisvalid = false where indexrelid = '{schema}.waiting_order_idx'::regclass;
            alter table {schema}.queues set (autovacuum_enabled = off);
            alter table {schema}.turns set unlogged;
            alter table {schema}.tasks disable trigger unfinished_tasks_added;
            drop trigger unfinished_tasks_deleted on {schema}.tasks;
            insert into {schema}.tasks (id, job_id) values (gen_random_uuid(), gen_random_uuid());
            insert into {schema}.queues (name) select 'q' || n from generate_series(1, 300) n;
            delete from {schema}.queues where name like 'q%';
            select pg_create_physical_replication_slot('{slot}', true);
            select pg_stat_force_next_flush();
            """);
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "secret" }.ConnectionString;
        await using var blocker = new NpgsqlConnection($"{ConnectionString};Application Name={Blocker};Pooling=false");
        await blocker.OpenAsync(Cancellation);
        await using var begin = new NpgsqlCommand("begin isolation level repeatable read; select 1", blocker);
        await begin.ExecuteNonQueryAsync(Cancellation);
        try
        {
            var found = await ExamineAsync(Strict, connection);
            foreach (var (check, text) in Expected(slot))
            {
                Assert.Contains(found, finding => finding.Check == check && finding.Level != FindingLevel.Ok && finding.Text.Contains(
                    text, StringComparison.Ordinal));
            }

            Assert.Equal(5, found.Count(finding => finding.Text == "Nothing found."));

            // An index is not built while an old snapshot might need it.
            var repairs = found.Where(finding => finding.Check == "old snapshots"
                ? finding.Text.Contains(Blocker, StringComparison.Ordinal)
                : IsStatement(finding.Repair));
            foreach (var finding in repairs.OrderBy(finding => finding.Check != "old snapshots"))
            {
                await RepairAsync(finding.Repair!);
            }

            var left = await ExamineAsync(Strict, connection);

            // The server of the tests writes without waiting for the disk, and the limits find what is always there.
            string[] accepted = ["held entries", "retention", "sizes", "old snapshots"];
            Assert.All(
                left.Where(finding => !accepted.Contains(finding.Check)
                    && !finding.Text.Contains(" is off: a power failure", StringComparison.Ordinal)),
                finding => Assert.Equal(FindingLevel.Ok, finding.Level));
            Assert.DoesNotContain(left, finding => finding.Text.Contains(Blocker, StringComparison.Ordinal));
        }
        finally
        {
            NpgsqlConnection.ClearAllPools();
            await ExecuteAsync($"""
                select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{slot}';
                drop owned by {PostgreSqlDatabase.Quote(role)};
                drop role {PostgreSqlDatabase.Quote(role)};
                """);
        }
    }

    [Fact]
    public async Task A_missing_trigger_is_created_as_it_was()
    {
        const string Triggers = "select string_agg(pg_get_triggerdef(oid), '; ' order by tgname) from pg_trigger where not tgisinternal";
        await OpenStoreAsync();
        var before = await ScalarAsync<string>(Triggers);
        foreach (var name in (string[])["added", "changed", "deleted", "truncated"])
        {
            await ExecuteAsync($"drop trigger unfinished_tasks_{name} on taskrecovery.tasks");
        }

        var found = (await ExamineAsync()).Where(finding => finding is { Check: "triggers", Level: FindingLevel.Problem }).ToArray();
        foreach (var finding in found)
        {
            await RepairAsync(finding.Repair!);
        }

        Assert.Equal(4, found.Length);
        Assert.Equal(before, await ScalarAsync<string>(Triggers));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_001)]
    public async Task An_unlisted_task_is_found_if_it_is_new_or_runs(int tasks)
    {
        var store = await OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var identity = Identity();
        session.Register(identity);
        var (entry, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
        Assert.Single((await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, default, Cancellation)).Entries);

        // The running task has the lowest id, so that all others are newer.
        await ExecuteAsync($"""
            insert into taskrecovery.tasks (id, job_id, entry_id, state) values ('{Guid.Empty}', gen_random_uuid(), {entry}, 1);
            insert into taskrecovery.tasks (id, job_id, state) select gen_random_uuid(), gen_random_uuid(), 2
                from generate_series(2, {tasks});
            truncate taskrecovery.unfinished_tasks
            """);

        var finding = Assert.Single(await ExamineAsync(), finding => finding.Check == "unfinished tasks");

        Assert.Equal((FindingLevel.Problem, "select taskrecovery.repair_unfinished_tasks()"), (finding.Level, finding.Repair));
        Assert.StartsWith($"1 unfinished tasks are not listed as such, the first of which is {Guid.Empty}", finding.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_server_a_clock_and_an_owner_that_nobody_trusts_are_found()
    {
        await OpenStoreAsync();
        var (role, viewer) = ($"stranger_{Guid.NewGuid():n}", $"viewer_{Guid.NewGuid():n}");
        await ExecuteAsync($"create role {role}; alter schema taskrecovery owner to {role}; create role {viewer} login password 'secret'");
        try
        {
            var connection =
                new NpgsqlConnectionStringBuilder(ConnectionString) { Username = viewer, Password = "secret" }.ConnectionString;
            var found = await ExamineAsync(connection: connection, time: new WrongTime(), oldestServer: 990_000);

            Assert.Contains(found, finding
                => finding is { Check: "version", Level: FindingLevel.Problem, Repair: "Upgrade the server to version 99 or later." });
            const string Differ = "The clocks of this machine and of the server differ by ";
            var clock = Assert.Single(found, static finding => finding.Check == "clock");
            Assert.Equal(FindingLevel.Warning, clock.Level);
            Assert.StartsWith(Differ, clock.Text, StringComparison.Ordinal);

            // The time that it takes to read the server's clock is missing.
            Assert.InRange(int.Parse(clock.Text[Differ.Length..^" s.".Length], CultureInfo.InvariantCulture), 3500, 3600);
            Assert.StartsWith("alter schema \"taskrecovery\" owner to", Assert.Single(
                found, finding => finding.Check == "owner").Repair, StringComparison.Ordinal);
        }
        finally
        {
            await ExecuteAsync($"alter schema taskrecovery owner to current_user; drop role {role}; drop role {viewer}");
        }
    }

    [Theory]
    [InlineData("grant update, delete on taskrecovery.events to <role>", "may change and delete events")]
    [InlineData("revoke execute on function taskrecovery.fail_lost_claim(bigint, bigint) from <role>",
        "may not call 1 functions, the first of which is fail_lost_claim")]
    public async Task A_role_with_other_rights_than_an_error_advises_is_found(string change, string text)
    {
        await OpenStoreAsync();
        var role = $"worker_{Guid.NewGuid():n}";
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "secret" }.ConnectionString;
        var denied = new PostgresException("permission denied", "ERROR", "ERROR", PostgresErrorCodes.InsufficientPrivilege);
        var advice = PostgreSqlErrors.Translate(denied, "taskrecovery")!.Message;
        var grants = advice[advice.IndexOf("grant usage", StringComparison.Ordinal)..].TrimEnd('.');
        await ExecuteAsync("revoke execute on all functions in schema taskrecovery from public");
        await ExecuteAsync($"create role {role} login password 'secret'; {grants.Replace("<role>", role, StringComparison.Ordinal)}");
        try
        {
            var advised = await RightsAsync(connection);
            await ExecuteAsync(change.Replace("<role>", role, StringComparison.Ordinal));
            var changed = await RightsAsync(connection);
            await RepairAsync(changed.Repair!);
            var repaired = await RightsAsync(connection);

            Assert.Equal((FindingLevel.Ok, FindingLevel.Warning, FindingLevel.Ok), (advised.Level, changed.Level, repaired.Level));
            Assert.StartsWith($"Role {role} {text}", changed.Text, StringComparison.Ordinal);
        }
        finally
        {
            await ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task What_cannot_be_checked_stops_no_other_check()
    {
        var name = $"latin_{Guid.NewGuid():n}";
        await ExecuteAsync($"create database {name} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0");
        try
        {
            var found = await ExamineAsync(
                connection: new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, Pooling = false }.ConnectionString);

            Assert.Contains(found, finding => finding is { Check: "encoding", Level: FindingLevel.Problem });
            Assert.Contains(
                found, finding => finding is { Check: "held entries", Level: FindingLevel.Warning, Text: "This could not be checked." });
            Assert.Contains(found, finding => finding is { Check: "sizes" });
        }
        finally
        {
            await ExecuteAsync($"drop database {name} with (force)");
        }
    }

    [Fact]
    public async Task A_table_that_another_session_locks_stops_no_other_check()
    {
        await OpenStoreAsync();
        var role = $"viewer_{Guid.NewGuid():n}";
        await ExecuteAsync($"create role {role} login password 'secret'; grant usage on schema taskrecovery to {role}; "
            + $"grant select on all tables in schema taskrecovery to {role}; alter role {role} set lock_timeout = '50ms'");
        try
        {
            await using var locking = new NpgsqlConnection($"{ConnectionString};Pooling=false");
            await locking.OpenAsync(Cancellation);
            await using var begin = new NpgsqlCommand("begin; lock table taskrecovery.claims in access exclusive mode", locking);
            await begin.ExecuteNonQueryAsync(Cancellation);

            var found = await ExamineAsync(connection: new NpgsqlConnectionStringBuilder(ConnectionString)
            {
                Username = role,
                Password = "secret",
                Pooling = false,
            }.ConnectionString);

            Assert.Equal("This could not be checked.", Assert.Single(found, static finding => finding.Check == "held entries").Text);
            Assert.Contains(found, static finding => finding.Check == "retention");
        }
        finally
        {
            await ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task A_pooler_that_shares_sessions_is_found()
    {
        await OpenStoreAsync();
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, "transaction");
        var database = Open(static options => options.UseSessionLocks = false, pooler.ConnectionString);
        var doctor = new PostgreSqlDoctor(database, TimeProvider.System);

        var found = await doctor.ExamineAsync(new DoctorLimits(), Cancellation);

        Assert.Contains(found, finding => finding is { Check: "pooler", Level: FindingLevel.Warning });
    }

    private static (string Check, string Text)[] Expected(string slot) =>
    [
        ("indexes", "Index claims_node_idx is missing."),
        ("indexes", "Index waiting_order_idx is invalid"),
        ("triggers", "Trigger unfinished_tasks_added of table tasks is disabled"),
        ("triggers", "Trigger unfinished_tasks_deleted of table tasks is missing"),
        ("unfinished tasks", "1 unfinished tasks are not listed as such"),
        ("rights", "lacks rights to"),
        ("rights", "Every role may create objects"),
        ("isolation", "are 'serializable' by default: no node starts on a data source"),
        ("autovacuum", "Autovacuum is off for table queues"),
        ("dead rows", "Table queues has about 300 dead rows"),
        ("old snapshots", Blocker),
        ("replication slots", slot),
        ("durability", "Table turns is unlogged"),
        ("connections", "connections are free for role"),
        ("held entries", "holds 1 entries since"),
        ("retention", "are still stored"),
        ("sizes", "Table waiting has"),
    ];

    // A repair in words begins with a capital letter, and one for the shell with the name of the tool.
    private static bool IsStatement(string? repair)
        => repair is not null && char.IsLower(repair[0]) && !repair.StartsWith("taskrecovery", StringComparison.Ordinal)
            && !repair.StartsWith("alter system", StringComparison.Ordinal);

    private async Task RepairAsync(string repair)
    {
        foreach (var statement in repair.Split(" (it locks", 2)[0].Split("; "))
        {
            await ExecuteAsync(statement);
        }
    }

    // One entry is claimed, one has ended, one waits.
    private async Task<string> PrepareAsync()
    {
        var database = Open(static options => options.Schema = "my \"queue\"");
        var store = await OpenStoreAsync(database);
        var ended = await store.EnqueueAsync([Entry()], null, Cancellation);
        await store.CancelAsync(ended[0].Id, new AuditInfo("test"), Cancellation);
        await store.EnqueueAsync([Entry(), Entry(after: TimeSpan.FromHours(1))], null, Cancellation);
        using var session = store.OpenNodeSession();
        var identity = Identity();
        session.Register(identity);
        Assert.Single((await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, default, Cancellation)).Entries);
        return database.Schema;
    }

    private async Task<IReadOnlyList<StoreFinding>> ExamineAsync(
        DoctorLimits? limits = null, string? connection = null, TimeProvider? time = null, int oldestServer = 150_000)
    {
        using var database = Open(options => options.Schema = limits is null ? options.Schema : "my \"queue\"", connection);
        var doctor = new PostgreSqlDoctor(database, time ?? TimeProvider.System, oldestServer);
        return await doctor.ExamineAsync(limits ?? new DoctorLimits(), Cancellation);
    }

    private async Task<StoreFinding> RightsAsync(string connection)
        => Assert.Single(await ExamineAsync(connection: connection), static finding => finding.Check == "rights");

    private sealed class WrongTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddHours(1);
    }
}
