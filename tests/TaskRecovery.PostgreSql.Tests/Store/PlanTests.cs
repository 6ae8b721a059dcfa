using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Statements are planned once, often while the tables are empty, and have to be right for millions of rows.</summary>
public sealed class PlanTests : PostgreSqlStoreTests
{
    private const string PollTypes = PlannedStatements.PollTypes;
    private const string Analyzed = "analyze, costs off, timing off, summary off";

    private protected override bool NeedsNew => true;

    [Fact]
    public async Task A_search_in_a_transaction_is_planned_for_its_values_and_the_statements_after_it_are_not()
    {
        var database = Open();

        var (search, later) = await database.InTransactionAsync(
            async (connection, token) =>
            {
                var mode = await database.ReadPlannedAsync(connection, stop => ModeAsync(connection, stop), token);
                return (mode, await ModeAsync(connection, token));
            },
            Cancellation);

        Assert.Equal(("force_custom_plan", "force_generic_plan"), (search, later));

        async ValueTask<string> ModeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
            => Assert.Single(await database.ListAsync(
                connection, OperatorSql.Plans, [], static row => row.GetString(0), cancellationToken));
    }

    // The planner takes a table that was never analyzed for one of ten pages, and another one for one that stays as it was: without rows
    // or pages, with one row, or with pages without rows.
    [Theory]
    [InlineData(null, false)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(1000, true)]
    public async Task Statements_walk_their_indexes_however_few_rows_the_tables_had_when_they_were_analyzed(int? rows, bool areDeleted)
    {
        var database = Open();
        await OpenStoreAsync(database);
        if (rows is { } count)
        {
            await ExecuteAsync(FewRows.Insert(count) + (areDeleted ? FewRows.Delete : ""));
            await ExecuteAsync($"vacuum (analyze, truncate off) {await ScalarAsync<string>(FewRows.Tables)}");
        }

        Assert.Equal(
            areDeleted ? 0 : rows ?? -1,
            await ScalarAsync<int>("select reltuples::int from pg_class where oid = 'taskrecovery.entries'::regclass"));
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var wrong = new List<string>();
        foreach (var statement in PlannedStatements.All)
        {
            try
            {
                var plan = await QueryPlan.OfAsync(connection, database, statement);
                if (plan.ReadsAllBut(statement.MayScan))
                {
                    wrong.Add($"{statement.Name} scans a whole table:\n{plan}");
                }
            }
            catch (PostgresException exception)
            {
                wrong.Add($"{statement.Name}: {exception.MessageText}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
    }

    [Fact]
    public async Task One_entry_with_a_unique_key_looks_for_the_holder_of_the_key_once()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var plan = await QueryPlan.OfLookUpAsync(connection, database, PlannedStatements.Of(EntrySql.EnqueueOneUnique));

        Assert.Single(plan, static line
            => line.Contains("Scan", StringComparison.Ordinal) && line.Contains(" on unique_keys ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task New_steps_are_stored_without_a_lookup_for_those_that_are_stored_already()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var plain = await QueryPlan.OfLookUpAsync(connection, database, PlannedStatements.Of(StepSql.SaveSteps));
        var once = await QueryPlan.OfLookUpAsync(connection, database, PlannedStatements.Of(StepSql.SaveStepsOnce));

        Predicate<string> looksUp = static line => line.Contains("Conflict Resolution", StringComparison.Ordinal);
        Assert.DoesNotContain(plain, looksUp);
        Assert.Contains(once, looksUp);
    }

    [Theory]
    [InlineData("outcomes", "outcomes_pkey", "bigint, bigint, bigint, bigint, bigint, bigint", RetentionSql.PurgeEnded)]
    [InlineData("outcomes", "outcomes_unwell_idx", "bigint, bigint, bigint, bigint, bigint, bigint", RetentionSql.PurgeUnwell)]
    [InlineData("tasks", "tasks_pkey", "uuid, bigint, bigint, bigint, bigint", RetentionSql.PurgeTasks)]
    public async Task Walks_over_the_history_planned_on_empty_tables_read_a_part_of_their_index(
        string table, string index, string types, string statement)
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var plan = await QueryPlan.OfLookUpAsync(connection, database, new("walk", types, statement));

        // A sort in its place would read all the history first, and a loop without an index would take each row for each one that claims
        // list.
        Assert.Contains(plan, line => line.Contains($"Index Scan using {index} on {table} ", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Join Filter", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, PollTypes + ", text[]", "'00000000-0000-0000-0000-000000000000', array['default'], "
        + "array[1]::smallint[], array[]::bigint[], array['test'], array[]::text[]")]
    [InlineData(false, "bigint, bigint", "1000, 10000")]
    public async Task Polls_and_measures_take_no_notice_of_queues_that_are_no_longer_used(bool isPoll, string types, string args)
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("insert into taskrecovery.queues (name) select 'once ' || n from generate_series(1, 2000) n");
        if (isPoll)
        {
            // Nobody works them, but something waits in them.
            await ExecuteAsync("insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select now(), 1000 + id, id, 1, 5 "
                + "from taskrecovery.queues where name like 'once %'");
        }

        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await QueryPlan.RunAsync(connection, $"prepare looked ({types}) as {database.Sql(isPoll ? PollSql.Poll : OperatorSql.Measure)}");
        var looks = 0;
        foreach (var line in await QueryPlan.ExplainAsync(connection, $"({Analyzed}) execute looked({args})"))
        {
            if (line.Contains(" on waiting", StringComparison.Ordinal)
                && line.LastIndexOf("loops=", StringComparison.Ordinal) is > 0 and var at)
            {
                looks += int.Parse(line.AsSpan(at + 6).TrimEnd(')'), System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        Assert.InRange(looks, 1, 20);
    }

    [Fact]
    public async Task A_poll_reads_the_claims_that_it_is_asked_about_and_no_others_of_its_node()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        using var session = store.OpenNodeSession();
        var node = Identity();
        session.Register(node);
        await ExecuteAsync(
            "insert into taskrecovery.claims (id, node, entries) select n, (select number from taskrecovery.nodes), array[n] "
            + "from generate_series(1, 5000) n");
        await ExecuteAsync("insert into taskrecovery.cancellations (entry) values (4711)");

        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await QueryPlan.RunAsync(connection, $"prepare polled ({PollTypes}, text[]) as {database.Sql(PollSql.Poll)}");
        var plan = await QueryPlan.ExplainAsync(
            connection, $"({Analyzed}) execute polled('{node.Id}', array['default'], array[]::smallint[], array[4711], array[]::text[], "
            + "array[]::text[])");
        var rows = plan
            .Where(static line => line.Contains(" on claims", StringComparison.Ordinal)
                && !line.Contains("(never executed)", StringComparison.Ordinal))
            .Select(static line => line[line.IndexOf("rows=", StringComparison.Ordinal)..])
            .ToList();

        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Matches("^rows=[01](\\.00)? loops=[01]\\)", row));
    }

    [Fact]
    public async Task A_poll_for_recent_entries_begins_each_level_at_their_time()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("insert into taskrecovery.waiting (run_at, id, queue, kind, priority) "
            + "select now() - interval '1 minute', 1000 + n, w.queue, w.kind, n % 20 - 10 "
            + "from taskrecovery.waiting w cross join generate_series(1, 5000) n; delete from taskrecovery.waiting where id < 1000; "
            + "analyze taskrecovery.waiting");

        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await QueryPlan.RunAsync(connection, $"prepare polled ({PollTypes}) as {database.Sql(PollSql.PollRecent)}");
        var plan = await QueryPlan.ExplainAsync(
            connection, $"({Analyzed}) execute polled('{Guid.Empty}', array['default'], array[1]::smallint[], array[]::bigint[], "
            + "array['test'])");

        var scan = plan.FindIndex(static line => line.Contains(" on waiting", StringComparison.Ordinal));
        Assert.Contains("rows=0", plan[scan], StringComparison.Ordinal);
        Assert.Matches(@"Index Cond: .*\(queue\).* = .*\(priority\).* = .*\(run_at\).* > .*\(run_at\).* <= ", plan[scan + 1]);
    }

    [Fact]
    public async Task A_look_at_callers_transactions_reads_its_snapshot_once()
    {
        var database = Open();
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await QueryPlan.RunAsync(connection, $"prepare sent (xid8[], text, xid8[], text[]) as {database.Sql(HintSql.SendEnded)}");

        var plan = await QueryPlan.ExplainAsync(connection, "(verbose, costs off) execute sent (null, null, null, null)");

        Assert.Equal(
            "Output: pg_current_snapshot()",
            Assert.Single(plan, static line => line.Contains("pg_current_snapshot", StringComparison.Ordinal)).Trim());
    }
}
