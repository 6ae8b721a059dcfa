using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>While a session holds an old snapshot, no version of a row can be removed, and every node sends heartbeats.</summary>
public sealed class OldSnapshotTests : PostgreSqlStoreTests
{
    private const int Heartbeats = 2000;

    private protected override bool NeedsNew => true;

    [Fact]
    public async Task Heartbeats_claims_and_reports_read_as_few_pages_as_before()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        (INodeSession Session, Guid Id)[] nodes = [.. Enumerable.Range(1, 3).Select(number => GivenNode(store, $"node {number}"))];
        await ExecuteAsync(
            "insert into taskrecovery.claims (id, node, entries) select 1, n.number, array[1]::bigint[] from taskrecovery.nodes n "
            + $"where n.id = '{nodes[0].Id}'");
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        (string Name, string Text, Func<NpgsqlParameter[]> Args)[] statements =
        [
            ("heartbeat", database.Sql(NodeSql.Heartbeat), () => OfHeartbeat(nodes[0].Id)),
            ("heartbeat only", database.Sql(NodeSql.HeartbeatOnly), () => OfHeartbeat(nodes[0].Id)),
            ("claim", database.Sql(ClaimSql.ClaimAlone), () => OfClaim(nodes[0].Id)),
            ("report", database.Sql(RunInfoSql.Report), () => OfReport(nodes[0].Id)),
        ];

        // The first time, the session reads the catalog.
        await CountPagesAsync();
        var before = await CountPagesAsync();
        await using var holder = await ConnectAsync();
        await QueryPlan.RunAsync(holder, "begin isolation level repeatable read");
        await QueryPlan.RunAsync(holder, "select 1 from taskrecovery.queues");
        for (var sent = 0; sent < Heartbeats; sent++)
        {
            Assert.All(nodes, static node => Assert.True(node.Session.SendHeartbeatOnly(node.Id, holdsLock: true).Accepted));
        }

        var after = await CountPagesAsync();

        Assert.All(statements, statement => Assert.InRange(after[statement.Name], 1, before[statement.Name] + 100));

        async Task<Dictionary<string, long>> CountPagesAsync()
        {
            var pages = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var (name, text, args) in statements)
            {
                pages.Add(name, await PagesAsync(connection, text, args()));
            }

            return pages;
        }
    }

    [Fact]
    public async Task The_list_of_nodes_reads_few_pages_for_those_that_have_died_since()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        (INodeSession Session, Guid Id)[] nodes = [.. Enumerable.Range(1, 3).Select(number => GivenNode(store, $"node {number}"))];
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        var statement = database.Sql(MonitorSql.Nodes);
        await PagesAsync(connection, statement, []);
        var before = await PagesAsync(connection, statement, []);
        await using var holder = await ConnectAsync();
        await QueryPlan.RunAsync(holder, "begin isolation level repeatable read");
        await QueryPlan.RunAsync(holder, "select 1 from taskrecovery.queues");
        for (var sent = 0; sent < Heartbeats; sent++)
        {
            Assert.All(nodes, static node => Assert.True(node.Session.SendHeartbeatOnly(node.Id, holdsLock: true).Accepted));
        }

        nodes[1].Session.Leave(nodes[1].Id);
        nodes[2].Session.Leave(nodes[2].Id);

        Assert.InRange(await PagesAsync(connection, statement, []), 1, before + 100);
    }

    [Fact]
    public async Task The_removal_of_heartbeats_without_a_node_reads_few_pages_too()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var (session, id) = GivenNode(store, "node");
        await using var holder = await ConnectAsync();
        await QueryPlan.RunAsync(holder, "begin isolation level repeatable read");
        await QueryPlan.RunAsync(holder, "select 1 from taskrecovery.queues");
        for (var sent = 0; sent < Heartbeats; sent++)
        {
            session.SendHeartbeatOnly(id, holdsLock: true);
        }

        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        var pages = await PagesAsync(connection, database.Sql(RetentionSql.PurgeHeartbeats), []);

        Assert.InRange(pages, 1, 100);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from taskrecovery.heartbeats"));
    }

    private static NpgsqlParameter[] OfHeartbeat(Guid node)
        => [Arg.Uuid(node), Arg.Bool(true), Arg.Text(null), Arg.Names([]), Arg.Names([]), Arg.Int2(0), Arg.Bool(false)];

    private static NpgsqlParameter[] OfClaim(Guid node) =>
    [
        Arg.Uuid(node), Arg.Int4(1), Arg.Array([(short)1], NpgsqlDbType.Smallint), Arg.Int4(10),
        .. NoLevels(), Arg.Int4(0), .. NoLevels(), Arg.Int4(0), .. NoLevels(),
        Arg.Text("default"), Arg.Array(["test"], NpgsqlDbType.Text),
    ];

    private static NpgsqlParameter[] NoLevels() =>
    [
        Arg.Array(Array.Empty<short>(), NpgsqlDbType.Smallint), Arg.Array(Array.Empty<DateTime>(), NpgsqlDbType.TimestampTz),
        Arg.Array(Array.Empty<long>(), NpgsqlDbType.Bigint),
    ];

    private static NpgsqlParameter[] OfReport(Guid node)
        => [Arg.Uuid(node), Arg.Int8(1), Arg.Int8(1), Arg.Int8(1), Arg.Int8(null), Arg.Text(null)];

    private (INodeSession Session, Guid Id) GivenNode(PostgreSqlQueueStore store, string name)
    {
        var session = Keep(store.OpenNodeSession());
        var identity = Identity(name);
        session.Register(identity);
        return (session, identity.Id);
    }

    private static async Task<long> PagesAsync(NpgsqlConnection connection, string statement, NpgsqlParameter[] args)
    {
        await using var command = new NpgsqlCommand($"explain (analyze, buffers, timing off, format json) {statement}", connection);
        command.Parameters.AddRange(args);
        using var explained = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(Cancellation))!);
        var plan = explained.RootElement[0].GetProperty("Plan");
        return plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64();
    }
}
