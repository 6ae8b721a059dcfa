using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using static TaskRecovery.PostgreSql.Tests.Store.LongHistory;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>How many rows the statements of the read model read, with 300,000 entries of history. Rows, not times: a machine may be
/// busy.</summary>
public sealed class MonitorBoundTests(LongHistory history) : IClassFixture<LongHistory>
{
    private const int MaxExamined = 10_000;

    private readonly PostgreSqlFixture _fixture = history.Fixture;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_question_reads_the_history()
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["the running entries of a snapshot"] = await RowsAsync(MonitorSql.Running, Arg.Int8(100_000)),
            ["the ended entries of a snapshot"] = await RowsAsync(MonitorSql.Ended, Arg.Int8(10_000)),
            ["the recent counts of a snapshot"] = await RowsAsync(StatisticsSql.Recent),
            ["what living nodes serve"] = await RowsAsync(MonitorSql.LivingNodes),
            ["nodes"] = await RowsAsync(MonitorSql.Nodes),
            ["the runs of an entry"] = await RowsAsync(MonitorSql.Runs, Arg.Int8(77), Arg.Int8(500)),
            ["the extras of an entry"] = await RowsAsync(MonitorSql.Extras, Arg.Int8(77)),
            ["an entry"] = await RowsAsync(OperatorSql.Read, Arg.Array([77L], NpgsqlDbType.Bigint), Arg.Bool(true)),
            ["a page without conditions"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery())),
            ["a page of failed entries"] = await RowsAsync(EndedListSql.ListUnwell, Page(new EntryQuery { States = [EntryState.Failed] })),
            ["a page of completed entries"] = await RowsAsync(EndedListSql.List, Page(new EntryQuery { States = [EntryState.Completed] })),
            ["a page of what has ended"] = await RowsAsync(EndedListSql.List, Page(new EntryQuery
            {
                States = [EntryState.Completed, EntryState.Failed, EntryState.Cancelled],
            })),
            ["a page of what ended today"] = await RowsAsync(
                EndedListSql.List, Page(new EntryQuery { EndedFrom = DateTimeOffset.UtcNow.AddHours(-20) })),
            ["a page of what a node completed"] = await RowsAsync(
                EndedListSql.List, Page(new EntryQuery { States = [EntryState.Completed], Node = "node-1" })),
            ["a page of running entries"] = await RowsAsync(
                EntryListSql.ListRunning, Page(new EntryQuery { States = [EntryState.Running] })),
            ["the entries that are claimed"] = await RowsAsync(EntryListSql.CountActive, Arg.Int8(0)),
            ["a page of events"] = await RowsAsync(EventSql.List, OfEvents()),
            ["the events of an entry"] = await RowsAsync(EventSql.List, OfEvents(entry: 77, actor: "nobody")),
            ["the operations of an entry"] = await RowsAsync(OperationSql.OfEntry, Arg.Int8(77), Arg.Int8(100)),
            ["where old entries begin"] = await RowsAsync(EntryListSql.FirstStored, Arg.Time(DateTimeOffset.UtcNow.AddHours(-20))),
            ["a node's name"] = await RowsAsync(EntryListSql.HasNode, Arg.Text("nobody")),
            ["a page of a job's tasks"] = await RowsAsync(
                MonitorSql.Tasks, Arg.Uuid(Guid.Parse("00000000-0000-0000-0000-000000000001")),
                Arg.Int2((int?)null), Arg.Uuid((Guid?)null), Arg.Int8(MaxExamined), Arg.Int8(100)),
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
            ["a page of what has not ended"] = await RowsAsync(
                EntryListSql.ListActive, Page(new EntryQuery { States = [EntryState.Waiting, EntryState.Running] })),
            ["how far that looked"] = await RowsAsync(EntryListSql.EdgeActive, Arg.Int8(long.MaxValue), Arg.Int8(MaxExamined)),
            ["how many wait"] = await RowsAsync(EntryListSql.CountActive, Arg.Int8(100_000)),
        };

        Assert.All(rows, pair => Assert.True(pair.Value <= Waiting + 1_000, $"{pair.Key}: {pair.Value} rows"));
    }

    [Fact]
    public async Task The_depth_of_the_queues_reads_what_is_due_and_not_what_is_due_later()
    {
        var rows = await RowsAsync(OperatorSql.Measure, Arg.Int8(1_000), Arg.Int8(10_000));

        Assert.InRange(rows, Waiting - Later, Waiting - Later + 200);
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
                EntryListSql.Group, [.. EntrySearch.Conditions(new EntryQuery { MaxExamined = MaxExamined }), Arg.Int4(0)]),
            ["a job"] = await RowsAsync(EntryListSql.List, Page(new EntryQuery { JobId = Guid.NewGuid() })),
            ["events of nobody"] = await RowsAsync(EventSql.List, OfEvents(actor: "nobody")),
            ["how far the events were examined"] = await RowsAsync(
                EventSql.Edge, Arg.Int8(long.MaxValue), Arg.Int8(0), Arg.Int8(null), Arg.Int8(MaxExamined)),
            ["the length of arguments"] = await RowsAsync(
                EntryListSql.WithinBytes.OfAll,
                [.. EntrySearch.Conditions(new EntryQuery { MaxExamined = MaxExamined }), Arg.Int8(1_000_000)]),
            ["how far it looked"] = await RowsAsync(EntryListSql.Edge, Arg.Int8(long.MaxValue), Arg.Int8(MaxExamined)),
            ["the time of the end"] = await RowsAsync(
                EndedListSql.List, Page(new EntryQuery { EndedTo = DateTimeOffset.UtcNow.AddDays(-2) })),
            ["how far the outcomes were examined"] = await RowsAsync(
                EndedListSql.Edge, Arg.Int8(long.MaxValue), Arg.Int8(MaxExamined)),
        };
        var ended = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["a rare kind that has completed"] = await RowsAsync(
                EndedListSql.List, Page(new EntryQuery { States = [EntryState.Completed], Kind = "rare" })),
            ["groups of what has completed"] = await RowsAsync(
                EndedListSql.Group,
                [.. EntrySearch.Conditions(new EntryQuery { States = [EntryState.Completed], MaxExamined = MaxExamined }), Arg.Int4(1)]),
            ["the length of the arguments of what has completed"] = await RowsAsync(
                EndedListSql.WithinBytes.OfEnded,
                [
                    .. EntrySearch.Conditions(new EntryQuery { States = [EntryState.Completed], MaxExamined = MaxExamined }),
                    Arg.Int8(1_000_000),
                ]),
            ["a node"] = await RowsAsync(EntryListSql.ListOfNode, Page(new EntryQuery { Node = "node-3" })),
        };
        var withOutcome = await RowsAsync(EntryListSql.List, Page(new EntryQuery { Kind = "work", Reason = "missing" }));

        Assert.All(rows, pair => Assert.InRange(pair.Value, 1, MaxExamined + 100));
        Assert.All(ended, pair => Assert.InRange(pair.Value, MaxExamined, (2 * MaxExamined) + 500));
        Assert.InRange(withOutcome, MaxExamined, (2 * MaxExamined) + 100);
    }

    [Fact]
    public async Task No_combination_of_conditions_reads_more_than_a_few_rows_for_each_examined_one()
    {
        EntryState[][] states =
        [
            [], [EntryState.Waiting], [EntryState.Running], [EntryState.Completed], [EntryState.Failed], [EntryState.Cancelled],
            [EntryState.Waiting, EntryState.Running], [EntryState.Waiting, EntryState.Failed], [EntryState.Running, EntryState.Completed],
            [EntryState.Running, EntryState.Failed], [EntryState.Completed, EntryState.Failed, EntryState.Cancelled],
        ];
        var crowded = new List<string>();

        foreach (var (name, query, isOfEnd) in Conditions())
        {
            foreach (var some in states)
            {
                var combined = query with { States = some };
                if (EntrySearch.SourceFor(combined, new EntryConditions(combined)) is not { } source)
                {
                    continue;
                }

                // An outcome and its entry; or what waits, an entry, and what its state and its node follow from.
                var hasEnded = isOfEnd || (some.Length > 0 && some.All(static state => state > EntryState.Running));
                var most = hasEnded ? 2 * MaxExamined : Waiting + (4 * MaxExamined);
                if (await RowsAsync(source.List, Page(combined)) is var rows && rows > most + 1_000)
                {
                    crowded.Add($"{name}, {string.Join(" or ", some)}: {rows} rows");
                }
            }
        }

        Assert.Empty(crowded);
    }

    [Fact]
    public async Task A_count_of_the_states_looks_at_a_bounded_number_of_rows()
    {
        var all = await RowsAsync(OperatorSql.Count, Arg.Text(null), Arg.Int8(MaxExamined));
        var queue = await RowsAsync(OperatorSql.Count, Arg.Text("default"), Arg.Int8(MaxExamined));

        // The newest outcomes, those that failed, and for one queue the entry of each.
        Assert.InRange(all, MaxExamined + Waiting, MaxExamined + Waiting + 1_000);
        Assert.InRange(queue, (2 * MaxExamined) + Waiting, (2 * MaxExamined) + Waiting + 1_000);
    }

    [Fact]
    public async Task Old_entries_are_found_at_once_by_the_time_of_storing_and_of_the_end()
    {
        var end = DateTimeOffset.UtcNow.AddHours(-20);

        var stored = await _fixture.Monitor.ListAsync(new EntryQuery { CreatedTo = end, MaxExamined = MaxExamined }, Cancellation);
        var ended = await _fixture.Monitor.ListAsync(new EntryQuery { EndedTo = end, MaxExamined = MaxExamined }, Cancellation);
        var none = await _fixture.Monitor.ListAsync(
            new EntryQuery { CreatedTo = DateTimeOffset.UtcNow.AddDays(-2), MaxExamined = MaxExamined }, Cancellation);

        Assert.Equal((100, false), (stored.Entries.Count, stored.IsComplete));
        Assert.All(stored.Entries, entry => Assert.InRange(entry.CreatedAt, end.AddMinutes(-1), end));
        Assert.Equal((100, false), (ended.Entries.Count, ended.IsComplete));
        Assert.All(ended.Entries, entry => Assert.InRange(entry.EndedAt!.Value, end.AddMinutes(-1), end));
        Assert.Equal((0, true), (none.Entries.Count, none.IsComplete));
    }

    [Fact]
    public async Task A_search_for_a_node_finds_its_last_runs_and_ends_at_once_without_the_node()
    {
        var rare = await _fixture.Monitor.ListAsync(new EntryQuery { Node = "node-3", Limit = 20 }, Cancellation);
        var common = await _fixture.Monitor.ListAsync(new EntryQuery { Node = "node-1", Limit = 20 }, Cancellation);
        var running = await _fixture.Monitor.ListAsync(new EntryQuery { Node = "node-2", Limit = 200 }, Cancellation);
        var nobody = await _fixture.Monitor.ListAsync(new EntryQuery { Node = "nobody" }, Cancellation);

        Assert.Equal(Enumerable.Range(0, 20).Select(static n => History - (n * 1000L)), rare.Entries.Select(static one => one.Id));
        Assert.Equal((20, History - 1L), (common.Entries.Count, common.Entries[0].Id));
        Assert.Equal(Running, running.Entries.Count);
        Assert.Equal((0, true), (nobody.Entries.Count, nobody.IsComplete));
    }

    [Fact]
    public async Task A_count_that_looks_up_each_end_examines_no_more_than_a_list_has_time_for()
    {
        var groups = await _fixture.Monitor.GroupAsync(new EntryQuery(), EntryGrouping.State, Cancellation);

        Assert.Equal((25_000L, false), (groups.Groups.Sum(static group => group.Entries.Value), groups.IsComplete));
    }

    [Fact]
    public async Task A_snapshot_takes_ten_statements_at_most()
    {
        using var activity = new Activity("test").Start();
        var commands = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped => Interlocked.Add(ref commands, stopped.TraceId == activity.TraceId ? 1 : 0),
        };
        ActivitySource.AddActivityListener(listener);

        // A snapshot that opens a connection has more.
        var fewest = int.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            commands = 0;
            await _fixture.Monitor.GetSnapshotAsync(Cancellation);
            fewest = Math.Min(fewest, commands);
        }

        // The first command has two statements, and the transaction begins and ends with one each.
        Assert.InRange(fewest + 3, 8, 10);
    }

    private static (string Name, EntryQuery Query, bool IsOfEnd)[] Conditions()
    {
        var now = DateTimeOffset.UtcNow;
        return
        [
            ("nothing", new EntryQuery(), false),
            ("the queue", new EntryQuery { Queue = "default" }, false),
            ("another queue", new EntryQuery { Queue = "missing" }, false),
            ("a common kind", new EntryQuery { Kind = "work" }, false),
            ("a rare kind", new EntryQuery { Kind = "rare" }, false),
            ("the beginning of a kind", new EntryQuery { Kind = "ra*" }, false),
            ("a reason", new EntryQuery { Reason = EndReasons.CrashLoop }, true),
            ("erased", new EntryQuery { Reason = EndReasons.Erased }, true),
            ("a common node", new EntryQuery { Node = "node-1" }, false),
            ("a rare node", new EntryQuery { Node = "node-3" }, false),
            ("a common node and a text", new EntryQuery { Node = "node-1", Text = "missing" }, false),
            ("a node that holds entries", new EntryQuery { Node = "node-2" }, false),
            ("a job", new EntryQuery { JobId = Guid.NewGuid() }, false),
            ("a unique key", new EntryQuery { UniqueKey = "missing" }, false),
            ("stored recently", new EntryQuery { CreatedFrom = now.AddHours(-1) }, false),
            ("stored long ago", new EntryQuery { CreatedTo = now.AddDays(-2) }, false),
            ("ended recently", new EntryQuery { EndedFrom = now.AddHours(-1) }, true),
            ("ended long ago", new EntryQuery { EndedTo = now.AddDays(-2) }, true),
            ("ended in a range, of a rare kind", new EntryQuery { EndedFrom = now.AddDays(-2), EndedTo = now, Kind = "rare" }, true),
            ("metadata", new EntryQuery { Metadata = new("a", "b") }, false),
            ("a text", new EntryQuery { Text = "missing" }, false),
            ("a common text", new EntryQuery { Text = "{" }, false),
            ("a trace", new EntryQuery { TraceId = "0af7651916cd43dd8448eb211c80319c" }, false),
            ("a scope", new EntryQuery { Scope = new EntryScope { Queues = ["default"], Kinds = ["rare"] } }, false),
            ("a scope by metadata", new EntryQuery { Scope = new EntryScope { Metadata = new("a", "b") } }, false),
        ];
    }

    private static NpgsqlParameter[] OfEvents(long? entry = null, string? actor = null)
        =>
        [
            Arg.Int8(long.MaxValue), Arg.Int8(0), new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint },
            Arg.Int8(entry), Arg.Text(null), Arg.Text(actor), Arg.Int8(null), Arg.Int8(101), Arg.Int8(MaxExamined),
        ];

    private static NpgsqlParameter[] Page(EntryQuery query)
        => [.. EntrySearch.Conditions(query with { MaxExamined = MaxExamined }), Arg.Int8(101)];

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

        return await ScannedRows.CountAsync(
            connection, statement.Replace("{schema}", _fixture.QuotedSchema, StringComparison.Ordinal), args);
    }
}
