using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How many rows the statements of the read model read, with 300,000 entries of history. Rows, not times: a machine may be
/// busy.</summary>
public sealed class MonitorBoundTests : IAsyncLifetime
{
    private const int History = 300_000;
    private const int Waiting = 5_000;
    private const int LookAtMost = 10_000;

    private readonly PostgreSqlFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _fixture.CreateAsync(migrate: true, Cancellation);
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            $$"""
            insert into queues (name) values ('default');
            insert into kinds (name) values ('work'), ('rare');
            insert into entries (queue, kind, priority, max_attempts, args, created_at)
            select 1, case when n = 1000 then 2 else 1 end, 5, 10, '{}', clock_timestamp() - interval '1 day'
                from generate_series(1, {{History}}) n;
            insert into outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
            select n, n, 1, case when n % 1000 = 0 then 1 else 0 end, 1, 0, true from generate_series(1, {{History}}) n;
            insert into entries (queue, kind, priority, max_attempts, args) select 1, 1, 5, 10, '{}' from generate_series(1, {{Waiting}}) n;
            insert into waiting (run_at, id, queue, kind, priority, found_by_id)
            select clock_timestamp(), e.id, 1, 1, 5, true from entries e where e.id > {{History}};
            analyze entries, waiting, outcomes;
            insert into tasks (id, job_id, state, created_at, ended_at)
            select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 2, clock_timestamp(), clock_timestamp()
                from generate_series(1, 50000);
            """,
            connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task No_question_reads_the_history()
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["the running entries of a snapshot"] = await RowsAsync(MonitorSql.Running, Arg.Int8(100_000)),
            ["the ended entries of a snapshot"] = await RowsAsync(MonitorSql.Ended, Arg.Int8(10_000)),
            ["the recent counts of a snapshot"] = await RowsAsync(StatisticsSql.Recent),
            ["nodes"] = await RowsAsync(MonitorSql.Nodes),
            ["the runs of an entry"] = await RowsAsync(MonitorSql.Runs, Arg.Int8(77), Arg.Int8(500)),
            ["the extras of an entry"] = await RowsAsync(MonitorSql.Extras, Arg.Int8(77)),
            ["an entry"] = await RowsAsync(OperatorSql.Read, Arg.Array([77L], NpgsqlDbType.Bigint), Arg.Bool(true)),
            ["a page without conditions"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery())),
            ["a page of failed entries"] = await RowsAsync(EntryListSql.ListUnwell, Page(new EntryQuery { States = [EntryState.Failed] })),
            ["a page of a job's tasks"] = await RowsAsync(
                MonitorSql.Tasks, Arg.Uuid(Guid.Parse("00000000-0000-0000-0000-000000000001")),
                Arg.Int2((int?)null), Arg.Uuid((Guid?)null), Arg.Int8(LookAtMost), Arg.Int8(100)),
        };

        Assert.All(rows, pair => Assert.True(pair.Value <= 1_000, $"{pair.Key}: {pair.Value} rows"));
    }

    [Fact]
    public async Task What_reads_the_waiting_rows_looks_up_the_entries_of_one_page_only()
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["the queues of a snapshot"] = await RowsAsync(MonitorSql.Queues, Arg.Int8(100_000)),
            ["kinds"] = await RowsAsync(MonitorSql.Kinds, Arg.Int8(100_000)),
            ["a page of waiting entries"] = await RowsAsync(
                EntryListSql.ListWaiting, Page(new EntryQuery { States = [EntryState.Waiting] })),
        };

        Assert.All(rows, pair => Assert.True(pair.Value <= Waiting + 1_000, $"{pair.Key}: {pair.Value} rows"));
    }

    [Fact]
    public async Task A_search_reads_each_examined_entry_once_and_its_outcome_at_most_once_per_condition()
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["a rare kind"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery { Kind = "rare" })),
            ["a text"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery { Text = "missing" })),
            ["metadata"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery { Metadata = new("a", "b") })),
            ["a unique key"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery { UniqueKey = "k" })),
            ["groups of kinds"] = await RowsAsync(
                EntryListSql.Group, [.. EntrySearch.Conditions(new EntryQuery { LookAtMost = LookAtMost }), Arg.Int4(0)]),
            ["how far it looked"] = await RowsAsync(EntryListSql.Edge, Arg.Int8(long.MaxValue), Arg.Int8(LookAtMost)),
        };
        var withOutcome = await RowsAsync(EntryListSql.List, Page(new EntryQuery { Kind = "work", Reason = "missing" }));

        Assert.All(rows, pair => Assert.InRange(pair.Value, 1, LookAtMost + 100));
        Assert.InRange(withOutcome, LookAtMost, (2 * LookAtMost) + 100);
    }

    [Fact]
    public async Task A_count_of_the_states_looks_at_a_bounded_number_of_rows()
    {
        var all = await RowsAsync(OperatorSql.Count, Arg.Text(null), Arg.Int8(LookAtMost));
        var queue = await RowsAsync(OperatorSql.Count, Arg.Text("default"), Arg.Int8(LookAtMost));

        // The newest outcomes, those that failed, and for one queue the entry of each.
        Assert.InRange(all, LookAtMost + Waiting, LookAtMost + Waiting + 1_000);
        Assert.InRange(queue, (2 * LookAtMost) + Waiting, (2 * LookAtMost) + Waiting + 1_000);
    }

    private static NpgsqlParameter[] Page(EntryQuery query)
        => [.. EntrySearch.Conditions(query with { LookAtMost = LookAtMost }), Arg.Int8(101)];

    // The rows that scans returned or dropped, as the server counted them.
    private async Task<long> RowsAsync(string statement, params NpgsqlParameter[] args)
    {
        await using var connection = (NpgsqlConnection)await _fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        if (statement == MonitorSql.Tasks)
        {
            await using var order = new NpgsqlCommand(MonitorSql.InIndexOrder, connection);
            await order.ExecuteNonQueryAsync(Cancellation);
        }

        await using (var begin = new NpgsqlCommand(MonitorSql.Begin, connection) { Parameters = { Arg.Text("30000") } })
        {
            await begin.ExecuteNonQueryAsync(Cancellation);
        }

        var text = statement.Replace("{schema}", _fixture.QuotedSchema, StringComparison.Ordinal);
        await using var command = new NpgsqlCommand($"explain (analyze, costs off, timing off, format json) {text}", connection);
        command.Parameters.AddRange(args);
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(Cancellation))!);
        return Rows(plan.RootElement[0].GetProperty("Plan"));
    }

    private static long Rows(JsonElement node)
    {
        var rows = 0.0;
        if (node.GetProperty("Node Type").GetString()!.Contains("Scan", StringComparison.Ordinal)
            && node.TryGetProperty("Relation Name", out _))
        {
            var one = node.GetProperty("Actual Rows").GetDouble()
                + (node.TryGetProperty("Rows Removed by Filter", out var filtered) ? filtered.GetDouble() : 0)
                + (node.TryGetProperty("Rows Removed by Index Recheck", out var rechecked) ? rechecked.GetDouble() : 0);
            rows = one * node.GetProperty("Actual Loops").GetDouble();
        }

        return (long)rows + (node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().Sum(Rows) : 0);
    }
}
