using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>What an operator does to one entry or queue is recorded with who did it and why.</summary>
public abstract class OperatorActionTests(StoreFixture fixture) : StoreTests(fixture)
{
    private static readonly AuditInfo Anna = new("anna", "too slow") { Tool = "cli" };

    [Fact]
    public async Task A_retry_is_recorded_with_actor_reason_and_tool()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await FinishAsync(held, OutcomeKind.Failed);

        var result = await Store.RetryAsync(held.Id, new RetryOptions(), Anna, Cancellation);

        Assert.Equal((OperatorResult.Done, EntryState.Waiting), (result, await StateAsync(held.Id)));
        var happened = Assert.Single(await EventsAsync(QueueEventKind.EntryRetried));
        Assert.Equal((held.Id, "anna", "too slow", "cli"), (happened.EntryId, happened.Actor, happened.Reason, happened.Tool));
    }

    [Fact]
    public async Task A_retry_at_a_later_time_waits_until_then()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await FinishAsync(held, OutcomeKind.Failed);
        var later = await Fixture.GetTimeAsync(Cancellation) + TimeSpan.FromHours(3);

        await Store.RetryAsync(held.Id, new RetryOptions { RunAt = later }, Anna, Cancellation);

        var entry = await FindAsync(held.Id);
        Assert.InRange(entry.RunAt!.Value - later, TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.Empty((await ClaimAsync(node)).Entries);
    }

    [Fact]
    public async Task A_retry_from_the_start_is_recorded_with_what_it_removes_and_when_it_runs()
    {
        var node = GivenNode();
        var one = await GivenClaimedAsync(node);
        await FinishAsync(one, OutcomeKind.Failed);
        var other = await GivenClaimedAsync(node);
        await FinishAsync(other, OutcomeKind.Failed);
        var options = new RetryOptions { From = RetryFrom.Start, RunAt = new DateTimeOffset(2999, 1, 1, 0, 0, 0, TimeSpan.Zero) };

        await Store.RetryAsync(one.Id, options, Anna, Cancellation);
        var operation = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Retry, EntryIds = [other.Id], Retry = options, Expected = new Count(1) },
            Anna, Cancellation);
        await Operations.StartAsync(operation.Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        await Operations.StepAsync(operation.Id, Cancellation);

        const string How = "from the start, without finished steps and checkpoint, not before 2999-01-01T00:00:00Z";
        Assert.Equal(How, Assert.Single(await EventsAsync(QueueEventKind.EntryRetried)).Detail);
        Assert.Equal(How, Assert.Single(await EventsAsync(QueueEventKind.OperationStarted)).Detail);
        Assert.Equal(options, Assert.Single((await Monitor.GetLifeAsync(other.Id, null, Cancellation))!.Operations).Retry);
    }

    [Fact]
    public async Task A_retry_at_a_past_time_runs_now()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await FinishAsync(held, OutcomeKind.Failed);

        await Store.RetryAsync(held.Id, new RetryOptions { RunAt = DateTimeOffset.UnixEpoch }, Anna, Cancellation);

        Assert.InRange((await FindAsync(held.Id)).RunAt!.Value, (await FindAsync(held.Id)).CreatedAt, DateTimeOffset.MaxValue);
        await ClaimOneAsync(node, held.Id);
    }

    [Fact]
    public async Task The_recovery_of_a_dead_nodes_work_is_recorded_if_an_operator_requested_it()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        await GivenClaimedAsync(first);
        Die(first);
        await Store.SweepAsync(MaxCrashes, Anna, Cancellation);
        await Store.SweepAsync(MaxCrashes, Anna, Cancellation);
        await ClaimAsync(second);
        await DieAndSweepAsync(second);

        var happened = Assert.Single(await EventsAsync(QueueEventKind.WorkRecovered));
        Assert.Equal(
            ("first", 1L, "anna", "too slow", "cli"),
            (happened.Node, happened.Entries!.Value, happened.Actor, happened.Reason, happened.Tool));
        Assert.Equal(["second", "first"], (await EventsAsync(QueueEventKind.Swept)).Select(swept => swept.Node));
    }

    [Fact]
    public async Task What_was_refused_is_not_recorded_as_done()
    {
        var id = await GivenEntryAsync();

        Assert.Equal(OperatorResult.NotEnded, await Store.RetryAsync(id, new RetryOptions(), Anna, Cancellation));
        Assert.Equal(OperatorResult.NotFound, await Store.RetryAsync(123456, new RetryOptions(), Anna, Cancellation));
        Assert.Equal(OperatorResult.NotFound, await Store.CancelAsync(123456, Anna, Cancellation));
        Assert.Empty(await EventsAsync(QueueEventKind.EntryRetried, QueueEventKind.EntryCancelled));
    }

    [Fact]
    public async Task A_cancellation_is_recorded_for_waiting_and_running_entries_once()
    {
        var node = GivenNode();
        var running = await GivenClaimedAsync(node);
        var waiting = await GivenEntryAsync();

        Assert.Equal(OperatorResult.Done, await Store.CancelAsync(waiting, Anna, Cancellation));
        Assert.Equal(OperatorResult.Done, await Store.CancelAsync(running.Id, Anna, Cancellation));
        Assert.Equal(OperatorResult.AlreadyEnded, await Store.CancelAsync(waiting, Anna, Cancellation));

        Assert.Equal([running.Id, waiting], (await EventsAsync(QueueEventKind.EntryCancelled)).Select(happened => happened.EntryId!.Value));
        Assert.Equal(EntryState.Cancelled, await StateAsync(waiting));
        Assert.True((await FindAsync(running.Id)).CancelRequested);
        Assert.Equal(QueueEventKind.EntryCancelled, Assert.Single((await Monitor.GetLifeAsync(waiting, null, Cancellation))!.Events).Kind);
    }

    [Fact]
    public async Task A_paused_queue_shows_who_paused_it_why_and_until_when()
    {
        var node = GivenNode();
        await GivenEntryAsync();
        var until = await Fixture.GetTimeAsync(Cancellation) + TimeSpan.FromHours(1);

        await Store.SetPausedAsync(
            PauseTarget.Queue(DefaultQueue), new PauseInfo { Actor = "anna", Reason = "maintenance", Until = until }, Anna, Cancellation);

        var pause = Assert.Single((await Monitor.GetSnapshotAsync(Cancellation)).Queues).Pause;
        Assert.NotNull(pause?.Since);
        Assert.Equal(("anna", "maintenance"), (pause.Actor, pause.Reason));
        Assert.InRange(pause.Until!.Value - until, TimeSpan.Zero, TimeSpan.FromMilliseconds(1));
        Assert.Empty((await ClaimAsync(node)).Entries);
        Assert.Equal("queue " + DefaultQueue, Assert.Single(await EventsAsync(QueueEventKind.Paused)).Subject);
    }

    [Fact]
    public async Task A_pause_that_would_be_over_at_once_is_refused_by_the_clock_of_the_store()
    {
        await GivenEntryAsync();
        var before = await Fixture.GetTimeAsync(Cancellation);
        var now = await Operations.GetTimeAsync(Cancellation);

        foreach (var target in (PauseTarget[])[PauseTarget.Queue(DefaultQueue), PauseTarget.Kind("new", mayBeNew: true)])
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Store.SetPausedAsync(
                target, new PauseInfo { Actor = "anna", Until = now }, Anna, Cancellation));
        }

        var millisecond = TimeSpan.FromMilliseconds(1);
        Assert.InRange(now, before - millisecond, await Fixture.GetTimeAsync(Cancellation) + millisecond);
        Assert.Null(Assert.Single((await Monitor.GetSnapshotAsync(Cancellation)).Queues).Pause);
        Assert.DoesNotContain(await Monitor.ListKindsAsync(Cancellation), static kind => kind.Name == "new");
        Assert.Empty(await EventsAsync(QueueEventKind.Paused));
    }

    [Fact]
    public async Task A_resumed_queue_forgets_its_pause()
    {
        var node = GivenNode();
        var id = await GivenEntryAsync();
        await Store.SetPausedAsync(PauseTarget.Queue(DefaultQueue), new PauseInfo { Actor = "anna" }, Anna, Cancellation);
        await Store.SetPausedAsync(PauseTarget.Queue(DefaultQueue), null, Anna, Cancellation);

        Assert.Null(Assert.Single((await Monitor.GetSnapshotAsync(Cancellation)).Queues).Pause);
        Assert.Single(await EventsAsync(QueueEventKind.Resumed));
        await ClaimOneAsync(node, id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pause_that_replaces_another_one_is_recorded_with_both(bool isQueue)
    {
        var target = isQueue ? PauseTarget.Queue("mail", mayBeNew: true) : PauseTarget.Kind("mail", mayBeNew: true);
        var until = new DateTimeOffset(2099, 1, 1, 6, 0, 0, TimeSpan.Zero);

        await PauseAsync(new PauseInfo { Actor = "anna", Reason = "provider down", Until = until });
        await PauseAsync(new PauseInfo { Actor = "ben", Until = until.AddHours(2) });
        await PauseAsync(new PauseInfo { Actor = "anna" });
        await Store.SetPausedAsync(target, null, Anna, Cancellation);
        await PauseAsync(new PauseInfo { Actor = "anna" });

        Assert.Equal(
            [
                null,
                "without an end; replaces a pause by ben until 2099-01-01 08:00:00Z",
                "until 2099-01-01 08:00:00Z; replaces a pause by anna until 2099-01-01 06:00:00Z: provider down",
                "until 2099-01-01 06:00:00Z",
            ],
            (await EventsAsync(QueueEventKind.Paused)).Select(static happened => happened.Detail));

        async Task PauseAsync(PauseInfo pause)
            => Assert.Equal(OperatorResult.Done, await Store.SetPausedAsync(target, pause, Anna, Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_not_paused_is_not_resumed_and_leaves_no_event(bool isQueue)
    {
        var target = isQueue ? PauseTarget.Queue(DefaultQueue) : PauseTarget.Kind(Work);
        await GivenEntryAsync();
        var early = await Store.SetPausedAsync(target, null, Anna, Cancellation);
        await Store.SetPausedAsync(target, new PauseInfo { Actor = "anna" }, Anna, Cancellation);

        var first = await Store.SetPausedAsync(target, null, Anna, Cancellation);
        var second = await Store.SetPausedAsync(target, null, Anna, Cancellation);

        Assert.Equal((OperatorResult.NotPaused, OperatorResult.Done, OperatorResult.NotPaused), (early, first, second));
        Assert.Single(await EventsAsync(QueueEventKind.Resumed));
    }

    [Fact]
    public async Task A_pause_ends_when_its_time_is_over()
    {
        var until = await Fixture.GetTimeAsync(Cancellation) + TimeSpan.FromHours(1);
        await Store.SetPausedAsync(PauseTarget.Queue("ends", mayBeNew: true), new PauseInfo { Until = until }, Anna, Cancellation);
        await Store.SetPausedAsync(PauseTarget.Queue("stays", mayBeNew: true), new PauseInfo(), Anna, Cancellation);

        Assert.Equal(0, await Operations.ResumeDueAsync(Cancellation));
        await ShiftTimeAsync(TimeSpan.FromHours(2));
        Assert.Equal(1, await Operations.ResumeDueAsync(Cancellation));
        Assert.Equal(0, await Operations.ResumeDueAsync(Cancellation));

        var queues = (await Monitor.GetSnapshotAsync(Cancellation)).Queues;
        Assert.Equal([("ends", true), ("stays", false)], queues.Select(queue => (queue.Name, queue.Pause is null)));
        var resumed = Assert.Single(await EventsAsync(QueueEventKind.Resumed));
        Assert.Equal(("queue ends", null), (resumed.Subject, resumed.Actor));
    }

    [Fact]
    public async Task Entries_of_a_paused_kind_are_not_claimed_until_it_is_resumed()
    {
        var node = GivenNode();
        var paused = await GivenEntryAsync(Entry("mail"));
        var open = await GivenEntryAsync();
        await Store.SetPausedAsync(PauseTarget.Kind("mail"), new PauseInfo { Actor = "anna", Reason = "spam" }, Anna, Cancellation);
        await PollAsync(node);

        var during = await ClaimAsync(node, kinds: ["mail", Work]);
        var kind = (await Monitor.ListKindsAsync(Cancellation)).Single(kind => kind.Name == "mail");
        var poll = await PollAsync(node);
        await Store.SetPausedAsync(PauseTarget.Kind("mail"), null, Anna, Cancellation);
        await PollAsync(node);
        var after = await ClaimAsync(node, kinds: ["mail", Work]);

        Assert.Equal(open, Assert.Single(during.Entries).Id);
        Assert.Equal(("anna", "spam"), (kind.Pause!.Actor, kind.Pause.Reason));
        Assert.Empty(poll.DueQueues);
        Assert.Equal(paused, Assert.Single(after.Entries).Id);
        Assert.Equal("kind mail", Assert.Single(await EventsAsync(QueueEventKind.Paused)).Subject);
    }

    [Fact]
    public async Task A_name_that_was_never_used_is_paused_only_if_it_may_be_new()
    {
        PauseTarget[] unknown = [PauseTarget.Queue("defualt"), PauseTarget.Kind("mial")];
        foreach (var target in unknown)
        {
            Assert.Equal(
                OperatorResult.NotFound, await Store.SetPausedAsync(target, new PauseInfo { Actor = "anna" }, Anna, Cancellation));
            Assert.Equal(OperatorResult.NotFound, await Store.SetPausedAsync(target, null, Anna, Cancellation));
        }

        var queue = PauseTarget.Queue("early", mayBeNew: true);
        Assert.Equal(OperatorResult.NotFound, await Store.SetPausedAsync(queue, null, Anna, Cancellation));
        Assert.Empty((await Monitor.GetSnapshotAsync(Cancellation)).Queues);
        Assert.Empty(await Monitor.ListKindsAsync(Cancellation));
        Assert.Empty((await Monitor.ListEventsAsync(new EventQuery(), Cancellation)).Events);

        Assert.Equal(OperatorResult.Done, await Store.SetPausedAsync(queue, new PauseInfo { Actor = "anna" }, Anna, Cancellation));
        Assert.Equal(
            OperatorResult.Done,
            await Store.SetPausedAsync(PauseTarget.Kind("mail", mayBeNew: true), new PauseInfo(), Anna, Cancellation));

        Assert.NotNull(Assert.Single((await Monitor.GetSnapshotAsync(Cancellation)).Queues).Pause);
        Assert.NotNull(Assert.Single(await Monitor.ListKindsAsync(Cancellation)).Pause);
    }

    [Fact]
    public async Task An_entry_of_a_paused_kind_is_not_stored_as_claimed()
    {
        var node = GivenNode();
        await Store.SetPausedAsync(PauseTarget.Kind(Work, mayBeNew: true), new PauseInfo(), Anna, Cancellation);
        await PollAsync(node);

        var stored = await node.Claimer().EnqueueAsync([Entry()], Cancellation);

        Assert.Empty(stored?.Batch.Entries ?? []);
        Assert.Empty((await ClaimAsync(node)).Entries);
    }

    private async Task<PollResult> PollAsync(TestNode node)
        => await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], ["mail", Work], WithUnknownKinds: false), Cancellation);

    [Fact]
    public async Task Every_erased_entry_is_recorded_without_what_was_erased()
    {
        var node = GivenNode();
        var running = await GivenClaimedAsync(node, Entry(key: "customer 7"));
        var waiting = await GivenEntryAsync(Entry(kind: "mail", key: "customer 7"));
        await GivenEntryAsync();

        Assert.Equal(2, await Store.EraseAsync(EraseTarget.ByUniqueKey("customer 7"), Anna, Cancellation));

        var events = await EventsAsync(QueueEventKind.EntryErased);
        Assert.Equal([running.Id, waiting], events.Select(happened => happened.EntryId!.Value).Order());
        Assert.All(events, happened => Assert.Equal(
            ("anna", "too slow", null, null), (happened.Actor, happened.Reason, happened.Subject, happened.Detail)));
        Assert.Empty(await EventsAsync(QueueEventKind.EntryCancelled));
    }

    [Fact]
    public async Task A_refusal_is_recorded()
    {
        await Operations.RecordAsync(QueueEventKind.Refused, "retry entry 42", Anna, Cancellation);

        var refused = Assert.Single(await EventsAsync(QueueEventKind.Refused));
        Assert.Equal(("retry entry 42", "anna"), (refused.Subject, refused.Actor));
    }

    [Fact]
    public async Task Actions_of_operators_are_removed_by_age_only()
    {
        await Operations.RecordAsync(QueueEventKind.Refused, "old", Anna, Cancellation);
        await ShiftTimeAsync(TimeSpan.FromDays(31));
        await Operations.RecordAsync(QueueEventKind.Refused, "young", Anna, Cancellation);

        while (await Monitor.CondenseAsync(Cancellation))
        {
        }

        Assert.Equal("young", Assert.Single(await EventsAsync(QueueEventKind.Refused)).Subject);
    }

    private async Task<IReadOnlyList<QueueEvent>> EventsAsync(params QueueEventKind[] kinds)
        => (await Monitor.ListEventsAsync(new EventQuery { Kinds = kinds }, Cancellation)).Events;
}
