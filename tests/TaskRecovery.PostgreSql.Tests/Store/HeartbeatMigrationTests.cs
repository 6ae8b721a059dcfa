namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Heartbeats were columns of <c>nodes</c> before they got a table of their own.</summary>
public sealed class HeartbeatMigrationTests : PostgreSqlStoreTests
{
    private const int Heartbeats = 32;

    private protected override bool StartMigrated => false;

    [Fact]
    public async Task Living_nodes_keep_their_heartbeats_and_dead_ones_have_none()
    {
        await new PostgreSqlMigrator(
            Open(), [.. PostgreSqlMigrator.Known.Where(static migration => migration.Version < Heartbeats)], new Version(0, 1, 0))
            .MigrateAsync(Cancellation);
        await ExecuteAsync("""
            insert into taskrecovery.nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key,
                beat, backend, holds_lock, vitals, queues, full_queues, load, dead_at)
            select gen_random_uuid(), v.name, true, true, 'machine', 1, 1, 1, 7, 8, true, '{}', '{default}', '{}', 3, v.dead_at
            from (values ('alive', null::timestamptz), ('dead', now())) v (name, dead_at)
            """);

        await new PostgreSqlMigrator(Open()).MigrateAsync(Cancellation);

        Assert.Equal(
            "alive (7,8,t,{},{default},{},3)",
            await ScalarAsync<string>("""
                select string_agg(n.name || ' ' || (h.beat, h.backend, h.holds_lock, h.vitals, h.queues, h.full_queues, h.load)::text, '; ')
                from taskrecovery.heartbeats h join taskrecovery.nodes n on n.number = h.node
                """));
        Assert.Equal(
            "(8,t,{})",
            await ScalarAsync<string>("select (backend, holds_lock, vitals)::text from taskrecovery.nodes where name = 'dead'"));
    }
}
