using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests steps and checkpoints: they are kept after the run that stored them.</summary>
public abstract class ProgressTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_new_entry_has_no_progress()
    {
        var progress = await Store.LoadProgressAsync(new ProgressKey(await GivenEntryAsync(), null), Cancellation);

        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
    }

    [Fact]
    public async Task Finished_steps_are_there_when_the_entry_runs_again_after_a_crash()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await StepAsync(held, "one", """{"n":1}""");
        await StepAsync(held, "two", "null");
        await DieAndSweepAsync(held.Node);

        var again = await ClaimOneAsync(GivenNode(), held.Id);
        await StepAsync(again, "three", "3");

        var progress = await Store.LoadProgressAsync(new ProgressKey(held.Id, null), Cancellation);
        Assert.Equal<IEnumerable<string>>(["one", "three", "two"], progress.Steps.Keys.Order(StringComparer.Ordinal));
        SameJson("""{"n":1}""", progress.Steps["one"]);
        SameJson("null", progress.Steps["two"]);
        SameJson("3", progress.Steps["three"]);
    }

    [Fact]
    public async Task Finished_steps_are_there_when_the_entry_is_retried()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await StepAsync(held, "one", "1");
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");
        await ClaimOneAsync(node, held.Id);

        Assert.Single((await Store.LoadProgressAsync(new ProgressKey(held.Id, null), Cancellation)).Steps, step => step.Key == "one");
    }

    [Fact]
    public async Task The_latest_checkpoint_replaces_the_one_before()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);

        Assert.True(await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("""{"at":1}"""), Cancellation));
        Assert.True(await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("""{"at":2}"""), Cancellation));
        await DieAndSweepAsync(held.Node);
        var again = await ClaimOneAsync(GivenNode(), held.Id);
        var recovered = await Store.LoadProgressAsync(key, Cancellation);
        Assert.True(await Store.SaveCheckpointAsync(again.Node.Id, key, again.Fence, Json("""{"at":3}"""), Cancellation));

        SameJson("""{"at":2}""", recovered.Checkpoint!.Value);
        SameJson("""{"at":3}""", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    [Fact]
    public async Task A_step_that_is_stored_again_after_a_lost_answer_is_accepted_and_keeps_its_first_result()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await StepAsync(held, "one", "1");

        await StepAsync(held, "one", "1");

        SameJson("1", (await Store.LoadProgressAsync(new ProgressKey(held.Id, null), Cancellation)).Steps["one"]);
    }

    [Fact]
    public async Task Entries_do_not_see_each_others_steps()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);

        await StepAsync(new Held(node, ids[0], fence), "one", "1");
        await StepAsync(new Held(node, ids[1], fence), "one", "2");

        SameJson("1", (await Store.LoadProgressAsync(new ProgressKey(ids[0], null), Cancellation)).Steps["one"]);
        SameJson("2", (await Store.LoadProgressAsync(new ProgressKey(ids[1], null), Cancellation)).Steps["one"]);
    }

    [Fact]
    public async Task A_tasks_steps_belong_to_the_task_whichever_entry_runs_it()
    {
        var node = GivenNode();
        var task = Guid.CreateVersion7();
        var (fence, ids) = await GivenBatchAsync(node, 2);

        Assert.True(await Store.SaveStepAsync(node.Id, new ProgressKey(ids[0], task), fence, "one", Json("1"), Cancellation));
        Assert.True(await Store.SaveCheckpointAsync(node.Id, new ProgressKey(ids[0], task), fence, Json("7"), Cancellation));

        var other = await Store.LoadProgressAsync(new ProgressKey(ids[1], task), Cancellation);
        SameJson("1", other.Steps["one"]);
        SameJson("7", other.Checkpoint!.Value);
        Assert.Empty((await Store.LoadProgressAsync(new ProgressKey(ids[0], null), Cancellation)).Steps);
    }

    [Fact]
    public async Task Progress_of_several_runs_is_stored_together_each_under_its_own_fence()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        var lost = await GivenClaimedAsync(node);
        await Store.ReleaseClaimsAsync(node.Id, [lost.Fence], Cancellation);
        var task = Guid.CreateVersion7();

        var held = await Store.SaveProgressAsync(
            node.Id,
            [
                new ProgressWrite(new ProgressKey(ids[0], null), fence, "one", Json("1")),
                new ProgressWrite(new ProgressKey(lost.Id, null), lost.Fence, "one", Json("2")),
                new ProgressWrite(new ProgressKey(ids[1], null), fence, Step: null, Json("3")),
                new ProgressWrite(new ProgressKey(lost.Id, null), lost.Fence, Step: null, Json("4")),
                new ProgressWrite(new ProgressKey(ids[2], task), fence, Step: null, Json("5")),
                new ProgressWrite(new ProgressKey(ids[2], task), fence, "two", Json("6")),
                new ProgressWrite(new ProgressKey(ids[1], null), lost.Fence, "of another claim", Json("7")),
            ],
            Cancellation);

        Assert.Equal([true, false, true, false, true, true, false], held);
        SameJson("1", (await Store.LoadProgressAsync(new ProgressKey(ids[0], null), Cancellation)).Steps["one"]);
        SameJson("3", (await Store.LoadProgressAsync(new ProgressKey(ids[1], null), Cancellation)).Checkpoint!.Value);
        Assert.Empty((await Store.LoadProgressAsync(new ProgressKey(ids[1], null), Cancellation)).Steps);
        var ofTask = await Store.LoadProgressAsync(new ProgressKey(ids[2], task), Cancellation);
        SameJson("5", ofTask.Checkpoint!.Value);
        SameJson("6", ofTask.Steps["two"]);
        var ofLost = await Store.LoadProgressAsync(new ProgressKey(lost.Id, null), Cancellation);
        Assert.Empty(ofLost.Steps);
        Assert.Null(ofLost.Checkpoint);
    }

    [Fact]
    public async Task Steps_that_are_stored_again_beside_others_are_accepted_each_under_its_own_fence()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        var lost = await GivenClaimedAsync(node);
        await StepAsync(new Held(node, ids[0], fence), "one", "1");
        await StepAsync(lost, "one", "2");
        await Store.ReleaseClaimsAsync(node.Id, [lost.Fence], Cancellation);
        var (key, other) = (new ProgressKey(ids[0], null), new ProgressKey(ids[1], null));

        var held = await Store.SaveProgressAsync(
            node.Id,
            [
                new ProgressWrite(key, fence, "one", Json("3")),
                new ProgressWrite(new ProgressKey(lost.Id, null), lost.Fence, "one", Json("4")),
                new ProgressWrite(new ProgressKey(lost.Id, null), lost.Fence, "two", Json("5")),
                new ProgressWrite(other, fence, "two", Json("6")),
                new ProgressWrite(other, fence, "two", Json("6")),
                new ProgressWrite(other, fence, Step: null, Json("7")),
            ],
            Cancellation);

        Assert.Equal([true, false, false, true, true, true], held);
        SameJson("1", (await Store.LoadProgressAsync(key, Cancellation)).Steps["one"]);
        var ofOther = await Store.LoadProgressAsync(other, Cancellation);
        SameJson("6", Assert.Single(ofOther.Steps).Value);
        SameJson("7", ofOther.Checkpoint!.Value);
        var ofLost = await Store.LoadProgressAsync(new ProgressKey(lost.Id, null), Cancellation);
        SameJson("2", Assert.Single(ofLost.Steps).Value);
    }

    [Fact]
    public async Task Of_several_checkpoints_of_one_owner_in_one_call_the_last_one_counts()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);

        var answers = await Store.SaveProgressAsync(
            held.Node.Id, [.. Enumerable.Range(1, 3).Select(number => new ProgressWrite(key, held.Fence, Step: null, Json($"{number}")))],
            Cancellation);

        Assert.Equal([true, true, true], answers);
        SameJson("3", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_checkpoint_of_a_run_that_lost_its_claim_takes_nothing_from_one_in_the_same_call(bool isFirst)
    {
        var node = GivenNode();
        var lost = await GivenClaimedAsync(node);
        await FinishAsync(lost, OutcomeKind.Retried, error: "boom");
        var held = await ClaimOneAsync(node, lost.Id);
        var key = new ProgressKey(held.Id, null);
        ProgressWrite[] writes =
        [
            new(key, lost.Fence, null, Json("1")) { Ordinal = 9 },
            new(key, held.Fence, null, Json("2")) { Ordinal = 1 },
        ];

        var saved = await Store.SaveProgressAsync(node.Id, isFirst ? writes : [writes[1], writes[0]], Cancellation);

        Assert.Equal<IEnumerable<bool>>(isFirst ? [false, true] : [true, false], saved);
        SameJson("2", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    [InlineData(OutcomeKind.Lost)]
    public async Task An_entry_that_ran_before_is_never_claimed_as_a_first_run(OutcomeKind end)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await StepAsync(held, "one", "1");
        if (end == OutcomeKind.Lost)
        {
            await DieAndSweepAsync(node);
            node = GivenNode();
        }
        else
        {
            await FinishAsync(held, end);
        }

        var again = Assert.Single((await ClaimAsync(node)).Entries);

        Assert.Equal(held.Id, again.Id);
        Assert.False(again.IsFirstRun);
    }

    [Fact]
    public async Task Many_steps_with_unusual_names_are_kept()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var names = Enumerable.Range(0, 50).Select(index => $"step {index} / \"é\" 'x'").ToArray();
        foreach (var name in names)
        {
            await StepAsync(held, name, "{}");
        }

        var progress = await Store.LoadProgressAsync(new ProgressKey(held.Id, null), Cancellation);

        Assert.Equal(names.Order(StringComparer.Ordinal), progress.Steps.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_run_can_remove_its_steps_and_its_checkpoint()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);
        await StepAsync(held, "one", "1");
        Assert.True(await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("2"), Cancellation));

        Assert.True(await Store.ResetProgressAsync(held.Node.Id, key, held.Fence, ordinal: 1, Cancellation));
        Assert.True(await Store.ResetProgressAsync(held.Node.Id, key, held.Fence, ordinal: 1, Cancellation));

        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
        Assert.True((await Store.SaveProgressAsync(
            held.Node.Id, [new ProgressWrite(key, held.Fence, "one", Json("3")) { Ordinal = 2 }], Cancellation))[0]);
        SameJson("3", (await Store.LoadProgressAsync(key, Cancellation)).Steps["one"]);
    }

    [Fact]
    public async Task A_tasks_run_removes_the_steps_of_the_task_alone()
    {
        var node = GivenNode();
        var task = Guid.CreateVersion7();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        Assert.True(await Store.SaveStepAsync(node.Id, new ProgressKey(ids[0], task), fence, "one", Json("1"), Cancellation));
        Assert.True(await Store.SaveCheckpointAsync(node.Id, new ProgressKey(ids[0], task), fence, Json("7"), Cancellation));
        await StepAsync(new Held(node, ids[1], fence), "one", "2");

        Assert.True(await Store.ResetProgressAsync(node.Id, new ProgressKey(ids[0], task), fence, ordinal: 1, Cancellation));

        var progress = await Store.LoadProgressAsync(new ProgressKey(ids[0], task), Cancellation);
        Assert.Equal((0, null), (progress.Steps.Count, progress.Checkpoint));
        Assert.Single((await Store.LoadProgressAsync(new ProgressKey(ids[1], null), Cancellation)).Steps);
    }

    [Fact]
    public async Task A_run_whose_claim_is_lost_removes_nothing()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);
        await StepAsync(held, "one", "1");
        await DieAndSweepAsync(held.Node);

        Assert.False(await Store.ResetProgressAsync(held.Node.Id, key, held.Fence, ordinal: 1, Cancellation));

        Assert.Single((await Store.LoadProgressAsync(key, Cancellation)).Steps);
    }

    private async Task StepAsync(Held held, string name, string result)
        => Assert.True(await Store.SaveStepAsync(
            held.Node.Id, new ProgressKey(held.Id, null), held.Fence, name, Json(result), Cancellation));
}
