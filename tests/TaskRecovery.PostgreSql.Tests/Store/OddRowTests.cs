using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Rows that something else than this library wrote stop no queue.</summary>
public sealed class OddRowTests : PostgreSqlStoreTests
{
    [Theory]
    [InlineData("timeout = interval '1 month'", "month")]
    [InlineData("kind = (select id from taskrecovery.kinds where name = 'other')", "kind")]
    [InlineData("args = repeat('x', 70000000)", "bytes")]
    [InlineData("metadata = repeat('x', 70000000)", "bytes")]
    [InlineData("trace_parent = repeat('x', 70000000)", "bytes")]
    [InlineData("created_at = 'infinity'", null)]
    [InlineData("created_at = '40000-01-01'", null)]
    [InlineData("expires_at = '40000-01-01'", null)]
    [InlineData("metadata = 'no json'", null)]
    [InlineData("timeout = interval '-1 second'", null)]
    public async Task A_row_that_can_t_be_read_ends_alone(string change, string? problem)
    {
        var store = await OpenStoreAsync();
        await GivenNoChecksAsync();
        var ids = (await store.EnqueueAsync([Entry(), Entry(), Entry() with { Kind = "other" }, Entry()], null, Cancellation))
            .Select(result => result.Id)
            .ToArray();
        await ExecuteAsync($"update taskrecovery.entries set {change} where id = {ids[1]}");
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        var claimer = store.CreateClaimer(identity.Id, "default", ["test"]);

        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);

        Assert.Equal([ids[0], ids[1], ids[3]], batch.Entries.Select(entry => entry.Id));
        Assert.Equal(problem is not null, batch.Entries[1].Problem is not null);
        Assert.InRange(batch.Entries[1].Args.Length, 0, 10);
        Assert.All([batch.Entries[0], batch.Entries[2]], entry => Assert.Null(entry.Problem));
        Assert.Empty(await store.FinishAsync(identity.Id, [.. batch.Entries.Select(
            entry => new RunOutcome { EntryId = entry.Id, Fence = batch.Fence, Kind = OutcomeKind.Failed, IsTask = true })], Cancellation));
    }

    [Theory]
    [InlineData("infinity", 1)]
    [InlineData("-infinity", 2)]
    [InlineData("20000-01-01", 1)]
    [InlineData("40000-01-01", 1)]
    [InlineData("294276-12-31", 1)]
    [InlineData("4000-01-01 BC", 2)]
    public async Task A_time_that_programs_do_not_write_fails_no_poll_no_claim_and_no_measurement(string time, int due)
    {
        var store = await OpenStoreAsync();
        var ids = await store.EnqueueAsync([Entry(), Entry()], null, Cancellation);
        await ExecuteAsync("alter domain taskrecovery.due_time drop constraint due_time_check");
        await ExecuteAsync($"update taskrecovery.waiting set run_at = '{time}', found_by_id = true where id = {ids[0].Id}");
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);

        var poll = await store.PollAsync(new PollRequest(identity.Id, ["default"], ["test"], WithUnknownKinds: true), Cancellation);
        var depth = Assert.Single(await store.MeasureAsync(Cancellation));
        var claimer = store.CreateClaimer(identity.Id, "default", ["test"]);
        var batch = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);
        var nothing = await claimer.ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);

        Assert.Equal("default", Assert.Single(poll.DueQueues));
        Assert.Equal((due, due), (depth.Due, batch.Entries.Count));
        Assert.Empty(nothing.Entries);
        var isFarAhead = due == 1 && time != "infinity";
        Assert.All([poll.NextDue, nothing.NextDue], wait => Assert.Equal(isFarAhead, wait > TimeSpan.FromHours(1)));
        Assert.All([poll.NextDue, nothing.NextDue], wait => Assert.Equal(isFarAhead, wait is not null));
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("40000-01-01")]
    [InlineData("4000-01-01 BC")]
    public async Task A_time_that_programs_do_not_write_fails_no_list_no_overview_and_no_cancellation(string time)
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var ids = (await store.EnqueueAsync([Entry(), Entry(), Entry()], null, Cancellation)).Select(result => result.Id).ToArray();
        await ExecuteAsync($"""
            alter domain taskrecovery.due_time drop constraint due_time_check;
            update taskrecovery.waiting set run_at = '{time}', found_by_id = true where id = {ids[1]};
            update taskrecovery.entries set created_at = '{time}', expires_at = '{time}' where id = {ids[1]};
            update taskrecovery.queues set paused = true, paused_at = '{time}', paused_until = '{time}';
            update taskrecovery.kinds set paused = true, paused_at = '{time}', paused_until = '{time}'
            """);
        var monitor = new PostgreSqlMonitorStore(database);

        var page = await monitor.ListAsync(new EntryQuery(), Cancellation);
        var queue = Assert.Single((await monitor.GetSnapshotAsync(Cancellation)).Queues);
        var kind = Assert.Single(await monitor.ListKindsAsync(Cancellation));
        var life = await monitor.GetLifeAsync(ids[1], null, Cancellation);

        Assert.Equal(3, page.Entries.Count);
        Assert.NotNull(queue.Pause);
        Assert.NotNull(kind.Pause);
        Assert.NotNull(life);
        Assert.Equal(OperatorResult.Done, await store.CancelAsync(ids[1], new AuditInfo("test"), Cancellation));
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("-infinity")]
    [InlineData("40000-01-01")]
    [InlineData("4000-01-01 BC")]
    public async Task A_time_that_programs_do_not_write_fails_no_life_no_page_of_events_or_operations_and_no_sweep(string time)
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        var ids = (await store.EnqueueAsync([Entry(), Entry()], null, Cancellation)).Select(result => result.Id).ToArray();
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(10, new SuspectAllowance(3, 0, 0), Cancellation);
        var failed = new RunOutcome { EntryId = ids[0], Fence = batch.Fence, Kind = OutcomeKind.Failed };
        await store.FinishAsync(identity.Id, [failed], Cancellation);
        await store.SaveProgressAsync(
            identity.Id, [new ProgressWrite(new ProgressKey(ids[1], null), batch.Fence, "step", "1"u8.ToArray())], Cancellation);
        var audit = new AuditInfo("test");
        await store.SetPausedAsync(PauseTarget.Queue("default", mayBeNew: true), new PauseInfo(), audit, Cancellation);
        var (monitor, operations) = (new PostgreSqlMonitorStore(database), new PostgreSqlOperationStore(database, store));
        var operation = await operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Retry, EntryIds = [ids[1]], Expected = new Count(1) }, audit, Cancellation);
        await operations.StartAsync(operation.Id, audit, TimeSpan.FromMinutes(10), Cancellation);
        await ExecuteAsync($"""
            update taskrecovery.outcomes set ended_at = '{time}', duration_ms = 2147483647;
            update taskrecovery.claims set claimed_at = '{time}';
            update taskrecovery.steps set stored_at = '{time}';
            update taskrecovery.events set happened_at = '{time}';
            update taskrecovery.operations set created_at = '{time}', started_at = '{time}'
            """);

        var page = await monitor.ListAsync(new EntryQuery(), Cancellation);
        var ended = await monitor.GetLifeAsync(ids[0], null, Cancellation);
        var running = await monitor.GetLifeAsync(ids[1], null, Cancellation);
        var events = await monitor.ListEventsAsync(new EventQuery(), Cancellation);
        var listed = await operations.ListAsync(new OperationQuery(), Cancellation);
        var step = await operations.StepAsync(operation.Id, Cancellation);
        await ExecuteAsync("update taskrecovery.nodes set dead_at = clock_timestamp()");
        var report = await store.SweepAsync(5, null, Cancellation);

        Assert.Equal(2, page.Entries.Count);
        Assert.Single(ended!.Runs);
        Assert.NotNull(running!.Claim);
        Assert.Single(running.Steps);
        Assert.NotEmpty(events.Events);
        Assert.Single(listed.Operations);
        Assert.True(step.Worked);
        Assert.Equal((ids[1], null), (Assert.Single(report.Items).EntryId, report.Failure));
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("40000-01-01")]
    [InlineData("4000-01-01 BC")]
    public async Task A_time_that_programs_do_not_write_fails_no_bulk_operation_and_no_undo(string time)
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var ids = (await store.EnqueueAsync([Entry(), Entry()], null, Cancellation)).Select(result => result.Id).ToArray();
        await ExecuteAsync($"""
            alter domain taskrecovery.due_time drop constraint due_time_check;
            update taskrecovery.waiting set run_at = '{time}', found_by_id = true where id = {ids[1]};
            alter domain taskrecovery.due_time add constraint due_time_check
                check (value >= timestamptz '0001-01-02 00:00Z' and value < timestamptz '9999-12-31 00:00Z') not valid
            """);
        var operations = new PostgreSqlOperationStore(database, store);
        var audit = new AuditInfo("test");

        var operation = await operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = ids, Expected = new Count(2) }, audit, Cancellation);
        await operations.StartAsync(operation.Id, audit, TimeSpan.FromMinutes(10), Cancellation);
        var cancelled = await operations.StepAsync(operation.Id, Cancellation);
        var undo = (await operations.UndoAsync(operation.Id, audit, Cancellation)).Operation!;
        var restored = await operations.StepAsync(undo.Id, Cancellation);

        Assert.Equal((OperationState.Ended, 2L), (cancelled.Operation!.State, cancelled.Operation.Done));
        Assert.Equal((OperationState.Ended, 2L), (restored.Operation!.State, restored.Operation.Done));
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Fact]
    public async Task An_entry_with_two_places_is_cancelled_once_and_comes_back_once()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var ids = (await store.EnqueueAsync([Entry(), Entry()], null, Cancellation)).Select(result => result.Id).ToArray();
        await ExecuteAsync("insert into taskrecovery.waiting (run_at, id, queue, kind, priority) "
            + $"select created_at, id, queue, kind, priority from taskrecovery.entries where id = {ids[1]}");
        var operations = new PostgreSqlOperationStore(database, store);
        var audit = new AuditInfo("test");

        var operation = await operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = ids, Expected = new Count(2) }, audit, Cancellation);
        await operations.StartAsync(operation.Id, audit, TimeSpan.FromMinutes(10), Cancellation);
        var cancelled = await operations.StepAsync(operation.Id, Cancellation);
        var undo = (await operations.UndoAsync(operation.Id, audit, Cancellation)).Operation!;
        var restored = await operations.StepAsync(undo.Id, Cancellation);

        Assert.Equal((OperationState.Ended, 2L), (cancelled.Operation!.State, cancelled.Operation.Done));
        Assert.Equal((OperationState.Ended, 2L), (restored.Operation!.State, restored.Operation.Done));
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from taskrecovery.waiting"));
    }

    [Theory]
    [InlineData("outcome")]
    [InlineData("sweep")]
    [InlineData("retry")]
    public async Task An_entry_that_another_program_has_put_back_as_it_was_stored_waits_once(string putBackBy)
    {
        var store = await OpenStoreAsync();
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, new SuspectAllowance(3, 0, 0), Cancellation);
        await ExecuteAsync("insert into taskrecovery.waiting (run_at, id, queue, kind, priority, found_by_id) "
            + $"select created_at, id, queue, kind, priority, false from taskrecovery.entries where id = {id}");
        var outcome = new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = OutcomeKind.Retried };

        switch (putBackBy)
        {
            case "outcome":
                Assert.Empty(await store.FinishAsync(identity.Id, [outcome], Cancellation));
                break;
            case "sweep":
                await ExecuteAsync("update taskrecovery.nodes set dead_at = clock_timestamp()");
                Assert.Equal(id, Assert.Single((await store.SweepAsync(5, null, Cancellation)).Items).EntryId);
                break;
            default:
                await store.FinishAsync(identity.Id, [outcome with { Kind = OutcomeKind.Failed }], Cancellation);
                Assert.Equal(OperatorResult.Done, await store.RetryAsync(id, new RetryOptions(), new AuditInfo("test"), Cancellation));
                break;
        }

        Assert.Equal(1L, await ScalarAsync<long>($"select count(*) from taskrecovery.waiting where id = {id}"));
    }

    [Fact]
    public async Task What_the_library_never_writes_is_refused_by_the_database()
    {
        var store = await OpenStoreAsync();
        var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];

        foreach (var change in new[] { "timeout = interval '-1 second'", "timeout = interval '1 month'",
            "timeout = interval '60 days'", "priority = 12", "max_attempts = 0" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(
                () => ExecuteAsync($"update taskrecovery.entries set {change} where id = {id}"));
            Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
        }

        foreach (var (change, check) in new[] { ("args = repeat('x', 67108865)", "args_text_check"),
            ("metadata = repeat('x', 16385)", "metadata_text_check"), ("unique_key = repeat('x', 4097)", "short_text_check"),
            ("trace_parent = repeat('x', 4097)", "short_text_check"), ("queue = 0", "queue_number_check"),
            ("kind = 0", "kind_number_check") })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(
                () => ExecuteAsync($"update taskrecovery.entries set {change} where id = {id}"));
            Assert.Equal((PostgresErrorCodes.CheckViolation, check), (error.SqlState, error.ConstraintName));
        }

        foreach (var time in new[] { "infinity", "-infinity", "10000-01-01", "40000-01-01", "0001-01-01 BC" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(
                () => ExecuteAsync($"update taskrecovery.waiting set run_at = '{time}', found_by_id = true where id = {id}"));
            Assert.Equal((PostgresErrorCodes.CheckViolation, "due_time_check"), (error.SqlState, error.ConstraintName));
        }

        foreach (var change in new[] { "priority = 10", "priority = -11", "attempt = -1", "crashes = -1", "queue = 0", "kind = 0" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(
                () => ExecuteAsync($"update taskrecovery.waiting set {change} where id = {id}"));
            Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
        }
    }

    [Fact]
    public async Task An_entry_outside_of_the_scope_is_missing_even_if_it_can_t_be_read()
    {
        var database = Open();
        var store = await OpenStoreAsync(database);
        var identity = Identity();
        using var node = store.OpenNodeSession();
        node.Register(identity);
        var (id, _) = (await store.EnqueueAsync([Entry()], null, Cancellation))[0];
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, new SuspectAllowance(3, 0, 0), Cancellation);
        var outcome = new RunOutcome { EntryId = id, Fence = batch.Fence, Kind = OutcomeKind.Failed };
        await store.FinishAsync(identity.Id, [outcome], Cancellation);
        await ExecuteAsync("drop table taskrecovery.steps cascade");
        var monitor = new PostgreSqlMonitorStore(database);

        var life = await monitor.GetLifeAsync(id, new EntryScope { Queues = ["another"] }, Cancellation);

        Assert.Null(life);
        await Assert.ThrowsAnyAsync<Exception>(() => monitor.GetLifeAsync(id, null, Cancellation).AsTask());
    }

    private Task GivenNoChecksAsync()
        => ExecuteAsync(string.Concat(
            new[] { "entry_priority", "attempt_limit", "run_time_limit", "args_text", "metadata_text", "short_text" }
                .Select(static domain => $"alter domain taskrecovery.{domain} drop constraint {domain}_check;")));
}
