using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Everything that is known of one entry.</summary>
public abstract class EntryLifeTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task An_unknown_entry_has_no_life()
        => Assert.Null(await Monitor.GetLifeAsync(123456, null, Cancellation));

    [Fact]
    public async Task An_entry_outside_of_the_scope_has_no_life()
    {
        var id = await GivenEntryAsync(Entry("own.mail", "own") with
        {
            Metadata = """{"tenant":"own","note":"\u0022tenant\u0022:\u0022another\u0022"}""",
        });
        await GivenEntryAsync(Entry("another.mail", "another"));
        EntryScope[] inside =
        [
            new() { Queues = ["another", "own"] },
            new() { Kinds = ["own.mail"] },
            new() { Metadata = new("tenant", "own") },
            new() { Queues = ["own"], Kinds = ["own.mail"], Metadata = new("tenant", "own") },
        ];
        EntryScope[] outside =
        [
            new() { Queues = ["another", "unknown"] },
            new() { Queues = [] },
            new() { Kinds = ["another.mail", "own.*", "own"] },
            new() { Metadata = new("tenant", "another") },
            new() { Metadata = new("tenant", "ow") },
            new() { Queues = ["own"], Kinds = ["another.mail"] },
            new() { Queues = ["own"], Kinds = ["own.mail"], Metadata = new("tenant", "another") },
        ];

        foreach (var scope in inside)
        {
            Assert.Equal(id, (await Monitor.GetLifeAsync(id, scope, Cancellation))?.Entry.Id);
            Assert.Null(await Monitor.GetLifeAsync(123456, scope, Cancellation));
        }

        foreach (var scope in outside)
        {
            Assert.Null(await Monitor.GetLifeAsync(id, scope, Cancellation));
        }
    }

    [Fact]
    public async Task A_waiting_entry_has_its_payload_and_no_runs()
    {
        var id = await GivenEntryAsync(
            Entry(key: "k", args: """{"a":1}""") with { TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });

        var life = await LifeAsync(id);

        Assert.Equal((EntryState.Waiting, "k", true), (life.Entry.State, life.Entry.UniqueKey, life.HoldsUniqueKey));
        SameJson("""{"a":1}""", life.Entry.Args);
        Assert.Equal("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", life.TraceParent);
        Assert.Empty(life.Runs);
        Assert.Null(life.Claim);
    }

    [Fact]
    public async Task A_life_has_every_run_with_its_node_and_end()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        var held = await GivenClaimedAsync(first);
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");
        await ClaimOneAsync(second, held.Id);
        await DieAndSweepAsync(second);
        var last = await ClaimOneAsync(first, held.Id);
        await FinishAsync(last, OutcomeKind.Failed, error: "again", reason: EndReasons.AttemptsExhausted);

        var life = await LifeAsync(held.Id);

        Assert.Equal([EntryRunEnd.Retried, EntryRunEnd.Lost, EntryRunEnd.Failed], life.Runs.Select(run => run.End));
        Assert.Equal(["first", "second", "first"], life.Runs.Select(run => run.Node));
        Assert.Equal([false, false, true], life.Runs.Select(run => run.IsFinal));
        Assert.Equal(["boom", null, "again"], life.Runs.Select(run => run.Error));
        Assert.Equal([0, 1, 1], life.Runs.Select(run => run.Crashes));
        Assert.Equal(life.Runs.Select(run => run.Fence).Order(), life.Runs.Select(run => run.Fence));
        Assert.Equal(held.Fence, life.Runs[0].Fence);
        Assert.All(life.Runs, run => Assert.True(run.StartedAt <= run.EndedAt));
        Assert.Equal(EndReasons.AttemptsExhausted, life.Runs[2].Reason);
    }

    [Fact]
    public async Task A_released_run_and_a_lost_one_have_lasted_since_their_claims()
    {
        var (first, second) = (GivenNode(), GivenNode());
        var held = await GivenClaimedAsync(first);
        await ShiftTimeAsync(TimeSpan.FromHours(1));
        await Store.ReleaseClaimsAsync(first.Id, [held.Fence], Cancellation);
        await ClaimOneAsync(second, held.Id);
        await ShiftTimeAsync(TimeSpan.FromHours(2));
        await DieAndSweepAsync(second);

        var runs = (await LifeAsync(held.Id)).Runs;

        Assert.Equal([EntryRunEnd.Released, EntryRunEnd.Lost], runs.Select(run => run.End));
        Assert.InRange((runs[0].EndedAt - runs[0].StartedAt)!.Value, TimeSpan.FromHours(1), TimeSpan.FromHours(1.5));
        Assert.InRange((runs[1].EndedAt - runs[1].StartedAt)!.Value, TimeSpan.FromHours(2), TimeSpan.FromHours(2.5));
    }

    [Fact]
    public async Task A_run_that_ends_as_cancelled_when_its_node_has_died_has_no_black_box()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await Store.CancelAsync(held.Id, Cancellation);
        await DieAndSweepAsync(held.Node);

        var run = Assert.Single((await LifeAsync(held.Id)).Runs);

        Assert.Equal(EntryRunEnd.Cancelled, run.End);
        Assert.Null(run.BlackBox);
    }

    [Fact]
    public async Task A_life_has_the_newest_runs_and_the_number_of_older_ones()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var fences = new List<long> { held.Fence };
        for (var run = 1; run < 503; run++)
        {
            await FinishAsync(held, OutcomeKind.Snoozed);
            held = await ClaimOneAsync(node, held.Id);
            fences.Add(held.Fence);
        }

        var life = await LifeAsync(held.Id);

        Assert.Equal((500, 2L), (life.Runs.Count, life.OlderRuns));
        Assert.Equal(fences[2..^1], life.Runs.Select(run => run.Fence));
    }

    [Fact]
    public async Task A_running_entry_shows_its_claim_and_a_cancel_request()
    {
        var node = GivenNode("runner");
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await Store.CancelAsync(ids[1], Cancellation);

        var life = await LifeAsync(ids[1]);

        Assert.NotNull(life.Claim);
        Assert.Equal((fence, "runner", node.Id, 3), (life.Claim.Fence, life.Claim.Node, life.Claim.NodeId, life.Claim.Entries));
        Assert.NotNull(life.CancelRequestedAt);
    }

    [Fact]
    public async Task An_entry_cancelled_while_it_waited_has_an_end_without_a_node()
    {
        var id = await GivenEntryAsync();
        await Store.CancelAsync(id, Cancellation);

        var life = await LifeAsync(id);

        var end = Assert.Single(life.Runs);
        Assert.Equal((EntryRunEnd.Cancelled, null, null, EndReasons.CancelRequested), (end.End, end.Node, end.StartedAt, end.Reason));
        Assert.Null(life.CancelRequestedAt);
    }

    [Fact]
    public async Task Steps_and_the_checkpoint_are_listed_and_their_contents_read_on_demand()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var key = new ProgressKey(held.Id, null);
        await Store.SaveStepAsync(node.Id, key, held.Fence, "one", Json("11"), Cancellation);
        await Store.SaveStepAsync(node.Id, key, held.Fence, "two", Json("\"second\""), Cancellation);
        await Store.SaveCheckpointAsync(node.Id, key, held.Fence, Json("[1,2]"), Cancellation);

        var life = await LifeAsync(held.Id);

        Assert.Equal([("one", held.Fence, 2L), ("two", held.Fence, 8L)], life.Steps.Select(step => (step.Name, step.Fence, step.Bytes)));
        Assert.Equal((held.Fence, 5L), (life.Checkpoint!.Fence, life.Checkpoint.Bytes));
        Assert.Equal("\"second\"", await Monitor.GetStepResultAsync(held.Id, "two", Cancellation));
        Assert.Null(await Monitor.GetStepResultAsync(held.Id, "three", Cancellation));
        Assert.Equal("[1,2]", await Monitor.GetCheckpointAsync(held.Id, Cancellation));
    }

    [Fact]
    public async Task The_run_of_a_job_shows_its_task_with_the_tasks_own_steps()
    {
        var node = GivenNode();
        await GivenJobAsync();
        var (run, task) = await GivenRunningTaskAsync(node);
        await Store.SaveStepAsync(node.Id, new ProgressKey(run.Held.Id, task.Id), run.Held.Fence, "one", Json("1"), Cancellation);

        var life = await LifeAsync(run.Held.Id);

        Assert.Equal((task.Id, "report"), (life.Task!.Id, life.JobName));
        Assert.Equal("one", Assert.Single(life.Steps).Name);
        Assert.Equal("1", await Monitor.GetStepResultAsync(run.Held.Id, "one", Cancellation));
    }

    [Fact]
    public async Task A_life_has_what_bulk_operations_did_and_who_started_them()
    {
        var id = await GivenEntryAsync();
        var (anna, bert) = (new AuditInfo("anna", "wrong batch") { Tool = "cli" }, new AuditInfo("bert"));
        var prepared = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = [id], Expected = new Count(1) }, anna, Cancellation);
        await Operations.StartAsync(prepared.Id, anna, TimeSpan.FromMinutes(10), Cancellation);
        await Operations.StepAsync(prepared.Id, Cancellation);
        var undo = (await Operations.UndoAsync(prepared.Id, bert, Cancellation)).Operation!;
        await Operations.StepAsync(undo.Id, Cancellation);
        await GivenEntryAsync();

        var life = await LifeAsync(id);

        Assert.Equal(
            [
                (prepared.Id, BulkAction.Cancel, OperatorResult.Done, anna, null),
                (undo.Id, BulkAction.Undo, OperatorResult.Done, bert, (long?)prepared.Id),
            ],
            life.Operations.Select(one => (one.OperationId, one.Action, one.Result, one.Audit, one.Undoes)));
        Assert.All(life.Operations, one => Assert.InRange(one.StartedAt, life.Entry.CreatedAt, life.ReadAt));
    }

    [Fact]
    public async Task A_running_entry_shows_how_much_work_a_crash_would_cost()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var claimed = await LifeAsync(held.Id);
        await Store.SaveStepAsync(node.Id, new ProgressKey(held.Id, null), held.Fence, "one", Json("1"), Cancellation);
        var stepped = await LifeAsync(held.Id);
        await FinishAsync(held, OutcomeKind.Retried);

        Assert.Equal(claimed.ReadAt - claimed.Claim!.ClaimedAt, claimed.WorkAtRisk);
        Assert.Equal(stepped.ReadAt - stepped.Steps[0].StoredAt, stepped.WorkAtRisk);
        Assert.Null((await LifeAsync(held.Id)).WorkAtRisk);
        var again = await ClaimOneAsync(node, held.Id);
        var second = await LifeAsync(again.Id);
        Assert.Equal(second.ReadAt - second.Claim!.ClaimedAt, second.WorkAtRisk);
    }

    private async Task<EntryLife> LifeAsync(long entryId)
    {
        var life = await Monitor.GetLifeAsync(entryId, null, Cancellation);
        Assert.NotNull(life);
        return life;
    }
}
