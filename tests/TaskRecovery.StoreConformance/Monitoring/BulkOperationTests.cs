using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Bulk operations: in steps, continued by any process, stopped, and undone.</summary>
public abstract partial class BulkOperationTests(StoreFixture fixture) : OperationTests(fixture)
{
    [Fact]
    public async Task Nothing_changes_before_an_operation_is_started()
    {
        var id = await GivenEntryAsync();

        var prepared = await PrepareAsync(BulkAction.Cancel, Waiting);
        var step = await Operations.StepAsync(prepared.Id, Cancellation);

        Assert.Equal((OperationState.Prepared, id, false), (prepared.State, prepared.UpToId, step.Worked));
        Assert.Equal(EntryState.Waiting, await StateAsync(id));
        Assert.Empty((await Operations.ListAsync(new OperationQuery(), Cancellation)).Operations);
        Assert.Null(prepared.SampleIds);
    }

    [Fact]
    public async Task An_operation_on_ids_has_the_greatest_of_them_as_a_sample()
    {
        var prepared = await PrepareAsync(BulkAction.Cancel, ids: [.. Enumerable.Range(1, 30).Select(static id => (long)id)]);
        var found = await Operations.FindAsync(prepared.Id, null, Cancellation);

        Assert.Equal([30L, 29, 28, 27, 26, 25, 24, 23, 22, 21], prepared.SampleIds!);
        Assert.Equal(prepared.SampleIds!, found!.SampleIds!);
    }

    [Fact]
    public async Task A_bulk_cancellation_ends_waiting_entries_in_steps_of_five_hundred()
    {
        var ids = await GivenEntriesAsync(1200);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        var later = await GivenEntryAsync();

        var steps = await RunAsync(operation.Id);

        Assert.Equal([500L, 1000L, 1200L], steps.Select(step => step.Done));
        Assert.Equal((OperationState.Ended, 0L), (steps[^1].State, steps[^1].Refused));
        Assert.Equal([EntryState.Cancelled, EntryState.Cancelled, EntryState.Waiting], [
            await StateAsync(ids[0]), await StateAsync(ids[^1]), await StateAsync(later)]);
    }

    [Fact]
    public async Task An_entry_that_is_missing_ends_no_operation()
    {
        BreaksTheInvariant = true;
        var ids = await GivenEntriesAsync(2100, static index => Entry(index == 0 ? "rare" : Work));
        await Fixture.CorruptAsync(Corruption.EntryLost, ids[2050], Cancellation);

        var steps = await RunAsync((await StartedAsync(BulkAction.Cancel, Waiting with { Kind = "rare" })).Id);

        Assert.Equal(1L, steps[^1].Done);
        Assert.Equal(EntryState.Cancelled, await StateAsync(ids[0]));
    }

    [Fact]
    public async Task Only_entries_of_the_query_are_changed()
    {
        var ids = await GivenEntriesAsync(10, index => Entry(index % 2 == 0 ? "even" : "odd"));

        await RunAsync((await StartedAsync(BulkAction.Cancel, Waiting with { Kind = "even" })).Id);

        foreach (var (index, id) in ids.Index())
        {
            Assert.Equal(index % 2 == 0 ? EntryState.Cancelled : EntryState.Waiting, await StateAsync(id));
        }
    }

    [Fact]
    public async Task Every_entry_has_a_result_and_refusals_say_why()
    {
        var node = GivenNode();
        var (fence, ended) = await GivenBatchAsync(node, 2);
        await FinishAsync(node, Outcome(ended[0], fence), Outcome(ended[1], fence, OutcomeKind.Failed));
        var waiting = await GivenEntryAsync();

        var operation = await StartedAsync(BulkAction.Retry, ids: [ended[0], ended[1], waiting, 123456]);
        var last = (await RunAsync(operation.Id))[^1];
        var all = await Operations.ListEntriesAsync(new OperationEntryQuery { OperationId = operation.Id }, Cancellation);
        var refused = await Operations.ListEntriesAsync(
            new OperationEntryQuery { OperationId = operation.Id, OnlyRefused = true, Limit = 2 }, Cancellation);
        var rest = await Operations.ListEntriesAsync(
            new OperationEntryQuery { OperationId = operation.Id, OnlyRefused = true, After = refused.NextAfter }, Cancellation);

        Assert.Equal((1L, 3L), (last.Done, last.Refused));
        Assert.Equal(((long[])[ended[0], ended[1], waiting, 123456]).OrderDescending(), operation.SampleIds!);
        Assert.Equal(
            [
                new(ended[0], OperatorResult.Completed), new(ended[1], OperatorResult.Done),
                new(waiting, OperatorResult.NotEnded), new(123456, OperatorResult.NotFound),
            ],
            all.Entries.OrderBy(entry => entry.EntryId));
        Assert.Equal([ended[0], waiting], refused.Entries.Select(entry => entry.EntryId));
        Assert.Equal([123456L], rest.Entries.Select(entry => entry.EntryId));
    }

    [Fact]
    public async Task A_bulk_retry_may_start_from_the_beginning_and_at_a_later_time()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await Store.SaveStepAsync(node.Id, new ProgressKey(held.Id, null), held.Fence, "one", Json("1"), Cancellation);
        await FinishAsync(held, OutcomeKind.Failed);
        var at = await Fixture.GetTimeAsync(Cancellation) + TimeSpan.FromHours(1);

        await RunAsync((await StartedAsync(BulkAction.Retry, Unwell, retry: new RetryOptions { From = RetryFrom.Start, RunAt = at })).Id);

        Assert.InRange((await FindAsync(held.Id)).RunAt!.Value - at, TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.Empty((await Monitor.GetLifeAsync(held.Id, null, Cancellation))!.Steps);
    }

    [Fact]
    public async Task Entries_that_share_a_unique_key_are_retried_only_once()
    {
        var node = GivenNode();
        var first = await GivenClaimedAsync(node, Entry(key: "k"));
        await FinishAsync(first, OutcomeKind.Failed, hasUniqueKey: true);
        var second = await GivenClaimedAsync(node, Entry(key: "k"));
        await FinishAsync(second, OutcomeKind.Failed, hasUniqueKey: true);

        var last = (await RunAsync((await StartedAsync(BulkAction.Retry, Unwell)).Id))[^1];

        Assert.Equal((1L, 1L), (last.Done, last.Refused));
        Assert.Single((await Monitor.ListAsync(new EntryQuery { States = [EntryState.Waiting] }, Cancellation)).Entries);
    }

    [Fact]
    public async Task An_entry_that_runs_is_asked_to_stop()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);

        var last = (await RunAsync((await StartedAsync(BulkAction.Cancel, Waiting)).Id))[^1];

        Assert.Equal((1L, 0L), (last.Done, last.Refused));
        Assert.True((await FindAsync(held.Id)).CancelRequested);
    }

    [Fact]
    public async Task A_cancellation_of_what_a_node_runs_leaves_what_it_ran_before()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        var passed = await GivenClaimedAsync(first);
        await FinishAsync(passed, OutcomeKind.Retried);
        await ClaimOneAsync(second, passed.Id);
        var own = await GivenClaimedAsync(first);

        var operation = await StartedAsync(BulkAction.Cancel, new EntryQuery { Node = "first", States = [EntryState.Running] });
        var last = (await RunAsync(operation.Id))[^1];

        Assert.Equal((1L, 0L), (last.Done, last.Refused));
        Assert.Equal(
            (true, false), ((await FindAsync(own.Id)).CancelRequested, (await FindAsync(passed.Id)).CancelRequested));
    }

    [Fact]
    public async Task Another_process_continues_from_where_the_first_one_stopped()
    {
        await GivenEntriesAsync(700);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await Operations.StepAsync(operation.Id, Cancellation);

        Assert.Equal([operation.Id], await Another.ListRunningAsync(Cancellation));
        var step = await Another.StepAsync(operation.Id, Cancellation);

        Assert.Equal((700L, OperationState.Ended), (step.Operation!.Done, step.Operation.State));
        Assert.Empty(await Another.ListRunningAsync(Cancellation));
    }

    [Fact]
    public async Task Processes_that_work_at_the_same_time_change_each_entry_once()
    {
        await GivenEntriesAsync(2100);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        var other = Another;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(
            index => Task.Run(() => RunAsync(operation.Id, index % 2 == 0 ? Operations : other), Cancellation)));

        var last = await Operations.FindAsync(operation.Id, null, Cancellation);
        Assert.Equal((2100L, 0L, OperationState.Ended), (last!.Done, last.Refused, last.State));
    }

    [Fact]
    public async Task A_stopped_operation_changes_nothing_more()
    {
        await GivenEntriesAsync(700);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await Operations.StepAsync(operation.Id, Cancellation);

        var stopped = await Operations.StopAsync(operation.Id, Anna, Cancellation);
        var step = await Operations.StepAsync(operation.Id, Cancellation);

        Assert.Equal(
            (OperationResult.Done, OperationState.Stopped, 500L), (stopped.Result, stopped.Operation!.State, stopped.Operation.Done));
        Assert.False(step.Worked);
        Assert.Equal(OperationResult.WrongState, (await Operations.StopAsync(operation.Id, Anna, Cancellation)).Result);
    }

    [Fact]
    public async Task An_operation_of_many_steps_changes_old_waiting_entries_behind_a_history()
    {
        var node = GivenNode();
        var old = await GivenEntriesAsync(1_100, _ => Entry(after: TimeSpan.FromHours(1)));
        var (fence, ended) = await GivenBatchAsync(node, 300);
        await FinishAsync(node, [.. ended.Select(id => Outcome(id, fence))]);
        var running = await GivenClaimedAsync(node);

        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);

        var last = (await Operations.FindAsync(operation.Id, null, Cancellation))!;
        Assert.Equal((OperationState.Ended, 1_101L, 0L), (last.State, last.Done, last.Refused));
        Assert.Equal([EntryState.Cancelled, EntryState.Cancelled], [await StateAsync(old[0]), await StateAsync(old[^1])]);
        Assert.True((await FindAsync(running.Id)).CancelRequested);
    }

    [Fact]
    public async Task What_was_changed_since_is_not_undone()
    {
        var ids = await GivenEntriesAsync(2);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        await Store.RetryAsync(ids[0], RetryFrom.LastStep, Cancellation);

        var undo = (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Operation!;
        await RunAsync(undo.Id);

        var entries = (await Operations.ListEntriesAsync(new OperationEntryQuery { OperationId = undo.Id }, Cancellation)).Entries;
        Assert.Equal([new(ids[0], OperatorResult.Changed), new(ids[1], OperatorResult.Done)], entries);
    }

    [Fact]
    public async Task An_operation_is_undone_once_and_an_undo_never()
    {
        await GivenEntryAsync();
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Result);
        await RunAsync(operation.Id);
        var undo = await Operations.UndoAsync(operation.Id, Anna, Cancellation);
        await RunAsync(undo.Operation!.Id);

        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(operation.Id, Anna, Cancellation)).Result);
        Assert.Equal(OperationResult.WrongState, (await Operations.UndoAsync(undo.Operation.Id, Anna, Cancellation)).Result);
        Assert.Equal(OperationResult.NotFound, (await Operations.UndoAsync(99, Anna, Cancellation)).Result);
    }

    [Fact]
    public async Task Only_the_same_actor_starts_an_operation_and_only_within_its_time()
    {
        var operation = await PrepareAsync(BulkAction.Cancel, Waiting);

        Assert.Equal(OperationResult.OtherActor, (await Operations.StartAsync(
            operation.Id, new AuditInfo("bert"), TimeSpan.FromMinutes(10), Cancellation)).Result);
        await ShiftTimeAsync(TimeSpan.FromMinutes(11));
        Assert.Equal(
            OperationResult.Expired, (await Operations.StartAsync(operation.Id, Anna, TimeSpan.FromMinutes(10), Cancellation)).Result);
        Assert.Equal(OperationResult.NotFound, (await Operations.StartAsync(99, Anna, TimeSpan.FromMinutes(10), Cancellation)).Result);
    }

    [Fact]
    public async Task Start_end_stop_and_undo_are_recorded()
    {
        await GivenEntriesAsync(3);
        var operation = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(operation.Id);
        await Operations.UndoAsync(operation.Id, Anna with { Reason = "not them" }, Cancellation);

        var events = (await Monitor.ListEventsAsync(new EventQuery { OperationId = operation.Id }, Cancellation)).Events;

        Assert.Equal([QueueEventKind.OperationUndone, QueueEventKind.OperationEnded,
            QueueEventKind.OperationStarted], events.Select(happened => happened.Kind));
        Assert.All(events, happened => Assert.Equal(
            ("anna", nameof(BulkAction.Cancel), 3L), (happened.Actor, happened.Subject, happened.Entries)));
        Assert.Equal("not them", events[0].Reason);
        Assert.All(events, happened => Assert.Null(happened.EntryId));
    }

    [Fact]
    public async Task Events_of_an_operation_on_one_entry_name_it_and_are_not_repeated_in_its_life()
    {
        var ids = await GivenEntriesAsync(2);
        var operation = await StartedAsync(BulkAction.Cancel, ids: [ids[0]]);
        await RunAsync(operation.Id);
        await UndoneAsync(operation.Id);

        var events = (await Monitor.ListEventsAsync(new EventQuery { EntryId = ids[0] }, Cancellation)).Events;
        var life = await Monitor.GetLifeAsync(ids[0], null, Cancellation);

        Assert.Equal(
            [QueueEventKind.OperationUndone, QueueEventKind.OperationEnded, QueueEventKind.OperationStarted],
            events.Select(happened => happened.Kind));
        Assert.All(events, happened => Assert.Equal((operation.Id, ids[0]), (happened.OperationId, happened.EntryId)));
        Assert.Equal((0, 2), (life!.Events.Count, life.Operations.Count));
        Assert.Empty((await Monitor.ListEventsAsync(new EventQuery { EntryId = ids[1] }, Cancellation)).Events);
    }

    [Fact]
    public async Task An_operation_is_found_with_its_query_and_listed_newest_first()
    {
        var query = Unwell with
        {
            Kind = "mail.*",
            Metadata = new("tenant", "7"),
            CreatedFrom = DateTimeOffset.UnixEpoch,
            Scope = new EntryScope { Queues = ["a"] },
        };
        var first = await StartedAsync(BulkAction.Retry, query, retry: new RetryOptions { From = RetryFrom.Start });
        var second = await StartedAsync(BulkAction.Cancel, ids: [1, 2]);

        var found = await Operations.FindAsync(first.Id, null, Cancellation);
        var listed = await Operations.ListAsync(new OperationQuery { Limit = 2 }, Cancellation);
        var newest = await Operations.ListAsync(new OperationQuery { Limit = 1 }, Cancellation);
        var older = await Operations.ListAsync(new OperationQuery { Before = newest.NextBefore, Limit = 1 }, Cancellation);

        Assert.Equal(
            ("mail.*", "7", DateTimeOffset.UnixEpoch), (found!.Query!.Kind, found.Query.Metadata!.Value.Value, found.Query.CreatedFrom));
        Assert.Equal(["a"], found.Query.Scope!.Queues!);
        Assert.Equal([EntryState.Failed, EntryState.Cancelled], found.Query.States!);
        Assert.Equal((RetryFrom.Start, Anna), (found.Retry!.From, found.Audit));
        Assert.Equal([second.Id, first.Id], listed.Operations.Select(operation => operation.Id));
        Assert.Equal([second.Id], newest.Operations.Select(operation => operation.Id));
        Assert.Equal([first.Id], older.Operations.Select(operation => operation.Id));
        Assert.Equal((null, second.Id, null), (listed.NextBefore, newest.NextBefore, older.NextBefore));
        Assert.Null(listed.Operations[0].Query);
    }

    [Fact]
    public async Task Old_operations_are_removed()
    {
        await GivenEntryAsync();
        var ended = await StartedAsync(BulkAction.Cancel, Waiting);
        await RunAsync(ended.Id);
        var forgotten = await PrepareAsync(BulkAction.Cancel, Waiting);
        await ShiftTimeAsync(TimeSpan.FromDays(31));
        var young = await StartedAsync(BulkAction.Cancel, ids: [1]);

        await Operations.PurgeAsync(Cancellation);

        Assert.Null(await Operations.FindAsync(ended.Id, null, Cancellation));
        Assert.Null(await Operations.FindAsync(forgotten.Id, null, Cancellation));
        Assert.NotNull(await Operations.FindAsync(young.Id, null, Cancellation));
    }

    [Theory]
    [InlineData("query", "'{'")]
    [InlineData("query", "'null'")]
    [InlineData("query", "null")]
    [InlineData("query", "'{\"Kind\":7}'")]
    [InlineData("query", "'{\"Queues\":[\"of a newer version\"]}'")]
    [InlineData("query", "'{\"States\":[0,7]}'")]
    [InlineData("query", "'{\"Scope\":{\"Teams\":[\"of a newer version\"]}}'")]
    [InlineData("action", "9")]
    [InlineData("retry_from", "9")]
    public async Task An_operation_that_can_t_be_read_ends_and_changes_nothing(string column, string value)
    {
        var id = await GivenEntryAsync();
        var broken = await StartedAsync(BulkAction.Cancel, Waiting with { Kind = "elsewhere" });
        var prepared = await PrepareAsync(BulkAction.Cancel, Waiting);
        await Fixture.SetOperationAsync(broken.Id, column, value, Cancellation);
        await Fixture.SetOperationAsync(prepared.Id, column, value, Cancellation);

        var step = await Operations.StepAsync(broken.Id, Cancellation);
        var started = await Operations.StartAsync(prepared.Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        await Operations.StepAsync(prepared.Id, Cancellation);

        Assert.Equal((OperationState.Stopped, 0L), (step.Operation!.State, step.Operation.Done));
        Assert.Equal(OperationResult.WrongState, started.Result);
        Assert.Equal(EntryState.Waiting, await StateAsync(id));
        Assert.Equal([], (await Operations.ListRunningAsync(Cancellation)).Intersect([broken.Id]));
        Assert.NotNull(await Operations.FindAsync(broken.Id, null, Cancellation));
        Assert.Contains((await Operations.ListAsync(new OperationQuery(), Cancellation)).Operations, one => one.Id == broken.Id);
        var events = await Monitor.ListEventsAsync(new EventQuery { OperationId = broken.Id }, Cancellation);
        Assert.Contains(events.Events, static one => one.Detail == "what it selects can't be read");
    }

    [Fact]
    public async Task A_good_operation_continues_after_a_broken_one()
    {
        var id = await GivenEntryAsync();
        var broken = await StartedAsync(BulkAction.Cancel, Waiting);
        var good = await StartedAsync(BulkAction.Cancel, ids: [id]);
        await Fixture.SetOperationAsync(broken.Id, "query", "'broken'", Cancellation);

        foreach (var operation in await Operations.ListRunningAsync(Cancellation))
        {
            await Operations.StepAsync(operation, Cancellation);
        }

        Assert.Equal(OperationState.Ended, (await Operations.FindAsync(good.Id, null, Cancellation))!.State);
        Assert.Equal(EntryState.Cancelled, await StateAsync(id));
    }
}
