using Npgsql;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Statements are planned once, often while the tables are empty, and have to be right for millions of rows.</summary>
public sealed class PlanTests : PostgreSqlStoreTests
{
    private const string Claim = "uuid, int, smallint[], int, smallint[], timestamptz[], bigint[], int, smallint[], timestamptz[], "
        + "bigint[], int, smallint[], timestamptz[], bigint[], text, text[]";
    private const string Outcomes = "uuid, bigint[], bigint[], smallint[], int[], text[], text[], text[], interval[], boolean";
    private const string Entries = "int[], smallint[], smallint[], smallint[], text[], timestamptz[], interval[], interval[], text[], "
        + "text[], text[], int[], text[], int[], text[]";
    private const string Starts = "timestamptz, bigint[], bigint[], uuid[], smallint[], smallint[], text[], uuid[], timestamptz[], "
        + "text[], boolean[], timestamptz[], int[], smallint[], boolean[]";
    private const string Steps = "uuid, bigint[], bigint[], bigint[], uuid[], text[], text[]";
    private const string OneEntry = "int, smallint, smallint, smallint, text, timestamptz, interval, interval, text, text, text, text";
    private const string AlikeEntries =
        "int, smallint, smallint, smallint, text[], timestamptz, interval, interval, text, text, text, text";

    private const string PollTypes = "uuid, text[], smallint[], bigint[], text[]";
    private const string Analyzed = "analyze, costs off, timing off, summary off";
    private static readonly string[] Large =
        ["entries", "waiting", "claims", "outcomes", "jobs", "tasks", "unique_keys", "steps", "checkpoints"];

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

    [Fact]
    public async Task Statements_planned_on_empty_tables_walk_their_indexes()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, "set plan_cache_mode = force_generic_plan");

        await AssertNoFullScanAsync(connection, database, "claim_alone", Claim, ClaimSql.ClaimAlone);
        await AssertNoFullScanAsync(connection, database, "claim", Claim, ClaimSql.ClaimBesideOthers);
        await AssertNoFullScanAsync(connection, database, "settled", "uuid, bigint[]", ClaimSql.RemoveSettled);
        await AssertNoFullScanAsync(connection, database, "enqueued", Entries, EntrySql.Enqueue);
        await AssertNoFullScanAsync(connection, database, "enqueued_once", $"{Entries}, timestamptz[]", EntrySql.EnqueueUnique);
        await AssertNoFullScanAsync(connection, database, "enqueued_in", Entries, EntrySql.EnqueueInTransaction);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_once_in", $"{Entries}, timestamptz[]", EntrySql.EnqueueUniqueInTransaction);
        await AssertNoFullScanAsync(connection, database, "enqueued_in_again", Entries, EntrySql.EnqueueInTransactionAgain);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_once_in_again", $"{Entries}, timestamptz[]", EntrySql.EnqueueUniqueInTransactionAgain);
        await AssertNoFullScanAsync(connection, database, "enqueued_one_in_again", OneEntry, EntrySql.EnqueueOneAgain);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_one_once_again", $"{OneEntry}, text, timestamptz", EntrySql.EnqueueOneUniqueAgain);
        await AssertNoFullScanAsync(connection, database, "enqueued_one_in", OneEntry, EntrySql.EnqueueOne);
        await AssertNoFullScanAsync(connection, database, "enqueued_alike", AlikeEntries, EntrySql.EnqueueAlike);
        await AssertNoFullScanAsync(connection, database, "enqueued_alike_again", AlikeEntries, EntrySql.EnqueueAlikeAgain);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_one_once", $"{OneEntry}, text, timestamptz", EntrySql.EnqueueOneUnique);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_claimed",
            $"{Entries}, uuid, int, smallint[], smallint[], timestamptz[], bigint[]", EntrySql.EnqueueClaimed);
        await AssertNoFullScanAsync(
            connection, database, "enqueued_one_claimed",
            "int, smallint, smallint, smallint, text, interval, text, text, text, text, uuid, smallint[], smallint[], timestamptz[], "
            + "bigint[]",
            EntrySql.EnqueueOneClaimed);
        await AssertNoFullScanAsync(connection, database, "read", "bigint[], boolean", OperatorSql.Read, but: "claims");
        await AssertNoFullScanAsync(connection, database, "asked_to_cancel", "bigint[]", OperatorSql.RequestCancel, but: "claims");
        await AssertNoFullScanAsync(connection, database, "locked_to_cancel", "bigint[]", OperatorSql.LockEntries);
        await AssertNoFullScanAsync(connection, database, "places_locked", "bigint[]", OperatorSql.LockPlaces);
        await AssertNoFullScanAsync(connection, database, "withdrawn", "bigint[]", OperatorSql.WithdrawCancel);
        await AssertNoFullScanAsync(connection, database, "ends_locked", "bigint[]", OperatorSql.LockEnds);
        await AssertNoFullScanAsync(connection, database, "cancelled_locked", "bigint[], bigint[]", OperatorSql.LockCancelled);
        await AssertNoFullScanAsync(connection, database, "unrun", "bigint[], bigint[]", OperationSql.Unrun);
        await AssertNoFullScanAsync(connection, database, "ended_again", "bigint[], bigint[]", OperationSql.EndAgain);
        await AssertNoFullScanAsync(connection, database, "counted", "text, bigint", OperatorSql.Count, but: "claims");
        await AssertNoFullScanAsync(connection, database, "retried", "bigint[], boolean, timestamptz", OperatorSql.Retry);
        await AssertNoFullScanAsync(connection, database, "replanned", "bigint, smallint, text", JobSql.EndWaiting);
        await AssertNoFullScanAsync(connection, database, "cancelled", "bigint[], text", OperatorSql.CancelWaitingPlaces);
        await AssertNoFullScanAsync(connection, database, "ended", Outcomes, OutcomeSql.End);
        await AssertNoFullScanAsync(connection, database, "ended_once", Outcomes, OutcomeSql.EndOnce);
        await AssertNoFullScanAsync(connection, database, "followed", Outcomes, OutcomeSql.EndAndFollow);
        await AssertNoFullScanAsync(connection, database, "followed_once", Outcomes, OutcomeSql.EndAndFollowOnce);
        await AssertNoFullScanAsync(connection, database, "put_back", Outcomes, OutcomeSql.PutBack);
        await AssertNoFullScanAsync(connection, database, "found", "bigint[], bigint[], uuid", OutcomeSql.Find);
        await AssertNoFullScanAsync(connection, database, "steps_saved", Steps, StepSql.SaveSteps);
        await AssertNoFullScanAsync(connection, database, "steps_saved_once", Steps, StepSql.SaveStepsOnce);
        await AssertNoFullScanAsync(
            connection, database, "checkpoints_saved", "uuid, bigint[], bigint[], bigint[], text[]", StepSql.SaveCheckpointsOfEntries);
        await AssertNoFullScanAsync(
            connection, database, "task_checkpoints_saved", "uuid, bigint[], bigint[], bigint[], text[], uuid[]",
            StepSql.SaveCheckpointsOfTasks);
        await AssertNoFullScanAsync(connection, database, "reset_recorded", "uuid, bigint, bigint, bigint", StepSql.RecordReset);
        await AssertNoFullScanAsync(connection, database, "steps_of_entry_deleted", "bigint, bigint", StepSql.DeleteOfEntry);
        await AssertNoFullScanAsync(connection, database, "steps_of_task_deleted", "uuid, bigint", StepSql.DeleteOfTask);
        await AssertNoFullScanAsync(connection, database, "reported", "uuid, bigint, bigint, bigint, bigint, text", RunInfoSql.Report);
        await AssertNoFullScanAsync(connection, database, "logged", "bigint[], bigint[], int[], text[]", RunInfoSql.Append);
        await AssertNoFullScanAsync(connection, database, "swept", "bigint[], int, bigint[], bigint[]", RecoverySql.Sweep);
        await AssertNoFullScanAsync(connection, database, "locked", "bigint[]", RecoverySql.LockEntries);
        await AssertNoFullScanAsync(connection, database, "not_blocked", "bigint[]", OutcomeSql.NotBlocked);
        await AssertNoFullScanAsync(connection, database, "starts_locked", "uuid[]", StartSql.Lock);
        await AssertNoFullScanAsync(
            connection, database, "start_facts", "uuid[], bigint[], bigint[], uuid[], uuid[], timestamptz[], smallint[]", StartSql.Facts);
        await AssertNoFullScanAsync(connection, database, "starts_applied", Starts, StartSql.Apply);
        await AssertNoFullScanAsync(connection, database, "jobs_listed", "text, bigint", JobListSql.List);
        await AssertNoFullScanAsync(connection, database, "planned", "uuid[], timestamptz[]", JobSql.PlanMany);
        await AssertNoFullScanAsync(connection, database, "polled", PollTypes + ", text[]", PollSql.Poll);
        await AssertNoFullScanAsync(connection, database, "polled_recent", PollTypes, PollSql.PollRecent);
    }

    [Fact]
    public async Task One_entry_with_a_unique_key_looks_for_the_holder_of_the_key_once()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var plan = await AssertNoFullScanAsync(
            connection, database, "enqueued_one_once", $"{OneEntry}, text, timestamptz", EntrySql.EnqueueOneUnique);

        Assert.Single(plan, static line
            => line.Contains("Scan", StringComparison.Ordinal) && line.Contains(" on unique_keys ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task New_steps_are_stored_without_a_lookup_for_those_that_are_stored_already()
    {
        var database = Open();
        await OpenStoreAsync(database);
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancellation);

        var plain = await AssertNoFullScanAsync(connection, database, "steps_saved", Steps, StepSql.SaveSteps);
        var once = await AssertNoFullScanAsync(connection, database, "steps_saved_once", Steps, StepSql.SaveStepsOnce);

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

        var plan = await AssertNoFullScanAsync(connection, database, "walk", types, statement);

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
        await RunAsync(connection, $"prepare looked ({types}) as {database.Sql(isPoll ? PollSql.Poll : OperatorSql.Measure)}");
        var looks = 0;
        foreach (var line in await ExplainAsync(connection, $"({Analyzed}) execute looked({args})"))
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
        await RunAsync(connection, $"prepare polled ({PollTypes}, text[]) as {database.Sql(PollSql.Poll)}");
        var plan = await ExplainAsync(
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
        await RunAsync(connection, $"prepare polled ({PollTypes}) as {database.Sql(PollSql.PollRecent)}");
        var plan = await ExplainAsync(
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
        await RunAsync(connection, $"prepare sent (xid8[], text, xid8[], text[]) as {database.Sql(HintSql.SendEnded)}");

        var plan = await ExplainAsync(connection, "(verbose, costs off) execute sent (null, null, null, null)");

        Assert.Equal(
            "Output: pg_current_snapshot()",
            Assert.Single(plan, static line => line.Contains("pg_current_snapshot", StringComparison.Ordinal)).Trim());
    }

    // A scan without an index condition of a table that grows is a scan of the whole. The cancellations are few, and go.
    private static async Task<List<string>> AssertNoFullScanAsync(
        NpgsqlConnection connection, PostgreSqlDatabase database, string name, string types, string statement, string? but = null)
    {
        await RunAsync(connection, $"prepare {name} ({types}) as {database.Sql(statement)}");
        var plan = await ExplainAsync(connection, $"execute {name} ({string.Join(", ", types.Split(", ").Select(_ => "null"))})");
        var large = Large.Where(table => table != but).ToList();
        for (var i = 0; i < plan.Count; i++)
        {
            var isFull = plan[i].Contains("Seq Scan on ", StringComparison.Ordinal)
                || (plan[i].Contains("Index", StringComparison.Ordinal) && plan[i].Contains(" on ", StringComparison.Ordinal)
                    && !(i + 1 < plan.Count && plan[i + 1].Contains("Index Cond", StringComparison.Ordinal)));
            if (isFull && large.Exists(table => plan[i].Contains($" on {table} ", StringComparison.Ordinal)) && !IsFirstOfAll(plan, i))
            {
                Assert.Fail($"{name} scans a whole table:\n{string.Join('\n', plan)}");
            }
        }

        return plan;
    }

    // The first row of an index needs no condition.
    private static bool IsFirstOfAll(List<string> plan, int line)
        => line > 0 && plan[line - 1].TrimStart(' ', '-', '>').StartsWith("Limit", StringComparison.Ordinal);

    private static async Task<List<string>> ExplainAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand($"explain {statement}", connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var plan = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            plan.Add(reader.GetString(0));
        }

        return plan;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
