using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A write of a run that arrives after its call was given up and repeated: it counts as if it had come in time.</summary>
public sealed class WriteOrderTests() : StoreTests(new PostgreSqlFixture())
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_checkpoint_does_not_replace_a_later_one(bool isTask)
    {
        var (held, key) = await GivenRunAsync(isTask);
        Assert.True(await CheckpointAsync(held, key, 1));
        Assert.True(await CheckpointAsync(held, key, 2));

        var late = await CheckpointAsync(held, key, 1);

        Assert.True(late);
        SameJson("2", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    [Fact]
    public async Task The_first_checkpoint_of_the_next_run_replaces_the_last_one_of_this_run()
    {
        var (held, key) = await GivenRunAsync(isTask: false);
        Assert.True(await CheckpointAsync(held, key, 7));
        await DieAndSweepAsync(held.Node);
        var again = await ClaimOneAsync(GivenNode(), held.Id);

        Assert.True(await CheckpointAsync(again, key, 1));

        SameJson("1", (await Store.LoadProgressAsync(key, Cancellation)).Checkpoint!.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_reset_removes_nothing_that_was_stored_after_it(bool isTask)
    {
        var (held, key) = await GivenRunAsync(isTask);
        Assert.True(await StepAsync(held, key, "before", 1));
        Assert.True(await ResetAsync(held, key, 2));
        Assert.True(await StepAsync(held, key, "after", 3));
        Assert.True(await CheckpointAsync(held, key, 4));

        var late = await ResetAsync(held, key, 2);

        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.True(late);
        Assert.Equal("after", Assert.Single(progress.Steps).Key);
        SameJson("4", progress.Checkpoint!.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_arrives_after_the_reset_that_followed_it_is_not_stored(bool isTask)
    {
        var (held, key) = await GivenRunAsync(isTask);
        Assert.True(await ResetAsync(held, key, 3));

        bool[] late = [await StepAsync(held, key, "late", 1), await CheckpointAsync(held, key, 2)];

        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Equal([true, true], late);
        Assert.Equal((0, null), (progress.Steps.Count, progress.Checkpoint));
    }

    [Fact]
    public async Task A_step_that_is_being_stored_when_its_run_removes_its_steps_is_removed_too()
    {
        var (held, key) = await GivenRunAsync(isTask: false);
        await using var gate = await StatementGate.CloseAsync((PostgreSqlFixture)Fixture, "steps", "insert", Cancellation);
        var storing = Task.Run(async () => await StepAsync(held, key, "late", 1), Cancellation);
        await gate.UntilWaitingAsync(1);

        var removing = Task.Run(async () => await ResetAsync(held, key, 2), Cancellation);
        await gate.UntilWaitingAsync(2, orEnded: removing);
        await gate.OpenAsync();

        var answers = await Task.WhenAll(storing, removing);
        Assert.Equal([true, true], answers);
        Assert.Empty((await Store.LoadProgressAsync(key, Cancellation)).Steps);
    }

    [Fact]
    public async Task A_reset_orders_the_writes_of_its_own_entry_alone()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        Held[] runs = [.. ids.Select(id => new Held(node, id, fence))];
        Assert.True(await ResetAsync(runs[0], KeyOf(runs[0]), 5));
        Assert.True(await ResetAsync(runs[1], KeyOf(runs[1]), 2));

        Assert.True(await StepAsync(runs[0], KeyOf(runs[0]), "late", 4));
        Assert.True(await StepAsync(runs[1], KeyOf(runs[1]), "in time", 3));
        Assert.True(await StepAsync(runs[2], KeyOf(runs[2]), "in time", 1));

        var steps = await Task.WhenAll(runs.Select(async run => (await Store.LoadProgressAsync(KeyOf(run), Cancellation)).Steps.Count));
        Assert.Equal([0, 1, 1], steps);
    }

    private static ProgressKey KeyOf(Held held) => new(held.Id, null);

    private async Task<(Held Held, ProgressKey Key)> GivenRunAsync(bool isTask)
    {
        var held = await GivenClaimedAsync(GivenNode());
        return (held, new ProgressKey(held.Id, isTask ? Guid.CreateVersion7() : null));
    }

    private Task<bool> StepAsync(Held held, ProgressKey key, string name, long ordinal) => WriteAsync(held, key, name, ordinal);

    // The checkpoint contains its ordinal.
    private Task<bool> CheckpointAsync(Held held, ProgressKey key, long ordinal) => WriteAsync(held, key, step: null, ordinal);

    private async Task<bool> WriteAsync(Held held, ProgressKey key, string? step, long ordinal)
        => (await Store.SaveProgressAsync(
            held.Node.Id, [new ProgressWrite(key, held.Fence, step, Json($"{ordinal}")) { Ordinal = ordinal }], Cancellation))[0];

    private async Task<bool> ResetAsync(Held held, ProgressKey key, long ordinal)
        => await Store.ResetProgressAsync(held.Node.Id, key, held.Fence, ordinal, Cancellation);
}
