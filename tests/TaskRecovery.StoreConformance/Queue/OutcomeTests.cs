using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests how runs end or return to the queue.</summary>
public abstract class OutcomeTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_completed_entry_keeps_its_result()
    {
        var held = await GivenClaimedAsync(GivenNode("worker"));

        await FinishAsync(held, result: """{"sum":42,"text":"é"}""");

        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Completed, "worker", 1), (found.State, found.Node, found.Attempt));
        SameJson("""{"sum":42,"text":"é"}""", found.Result);
        Assert.NotNull(found.StartedAt);
        Assert.NotNull(found.EndedAt);
        Assert.True(found.StartedAt <= found.EndedAt);
        Assert.Null(found.RunAt);
        Assert.Null(found.Error);
        Assert.Null(found.Reason);
    }

    [Fact]
    public async Task An_entry_may_end_without_a_result()
    {
        var held = await GivenClaimedAsync(GivenNode());

        await FinishAsync(held);

        Assert.Null((await FindAsync(held.Id)).Result);
    }

    [Theory]
    [InlineData(OutcomeKind.Failed, EndReasons.AttemptsExhausted, EntryState.Failed)]
    [InlineData(OutcomeKind.Failed, EndReasons.InvalidArgs, EntryState.Failed)]
    [InlineData(OutcomeKind.Cancelled, EndReasons.CancelledByWorker, EntryState.Cancelled)]
    [InlineData(OutcomeKind.Superseded, EndReasons.Superseded, EntryState.Cancelled)]
    public async Task An_entry_that_ended_other_than_well_says_why(OutcomeKind kind, string reason, EntryState state)
    {
        var held = await GivenClaimedAsync(GivenNode());

        await FinishAsync(held, kind, error: "it went \"wrong\"\n at line 1", reason: reason);

        var found = await FindAsync(held.Id);
        Assert.Equal((state, reason, "it went \"wrong\"\n at line 1"), (found.State, found.Reason, found.Error));
        Assert.NotNull(found.EndedAt);
        Assert.Empty((await ClaimAsync(held.Node)).Entries);
    }

    [Fact]
    public async Task An_error_with_what_no_database_stores_is_stored_without_it()
    {
        var held = await GivenClaimedAsync(GivenNode());

        await FinishAsync(held, OutcomeKind.Failed, error: "half a smile: \uD83D, and a zero: \0", reason: EndReasons.FailedForGood);

        Assert.StartsWith("half a smile: \uFFFD, and a zero: ", (await FindAsync(held.Id)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retried_entry_spends_an_attempt_and_waits_for_its_time()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var now = await Fixture.GetTimeAsync(Cancellation);

        await FinishAsync(held, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromMinutes(10));
        var found = await FindAsync(held.Id);
        var early = await ClaimAsync(node);
        await ShiftTimeAsync(TimeSpan.FromMinutes(11));
        var late = Assert.Single((await ClaimAsync(node)).Entries);

        Assert.Equal((EntryState.Waiting, 1, 0, "boom"), (found.State, found.Attempt, found.Crashes, found.Error));
        Assert.Null(found.EndedAt);
        Assert.InRange(found.RunAt!.Value, now.AddMinutes(10).AddSeconds(-5), now.AddMinutes(15));
        Assert.Empty(early.Entries);
        Assert.InRange(early.NextDue!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));
        Assert.Equal((held.Id, 2, 0), (late.Id, late.Attempt, late.Crashes));
    }

    [Fact]
    public async Task A_retried_entry_that_another_program_has_put_back_keeps_that_place()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await Fixture.CorruptAsync(Corruption.RunningAndWaiting, ids[0], Cancellation);

        await FinishAsync(
            node, [.. ids.Select(id => Outcome(id, fence, OutcomeKind.Retried, error: "boom", delay: TimeSpan.FromHours(1)))]);

        Assert.Equal(ids[0], Assert.Single((await ClaimAsync(node)).Entries).Id);
        Assert.Equal((EntryState.Waiting, "boom"), ((await FindAsync(ids[1])).State, (await FindAsync(ids[1])).Error));
    }

    [Fact]
    public async Task Attempts_add_up_over_retries()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            Assert.Equal(attempt, (await FindAsync(held.Id)).Attempt);
            await FinishAsync(held, OutcomeKind.Retried, error: $"boom {attempt}");
            held = await ClaimOneAsync(node, held.Id);
        }

        await FinishAsync(held, OutcomeKind.Failed, error: "boom 5", reason: EndReasons.AttemptsExhausted);

        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Failed, 5, "boom 5"), (found.State, found.Attempt, found.Error));
    }

    [Fact]
    public async Task A_snoozed_entry_waits_for_its_time_and_spends_no_attempt()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);

        await FinishAsync(held, OutcomeKind.Snoozed, delay: TimeSpan.FromHours(1));
        var found = await FindAsync(held.Id);
        var early = await ClaimAsync(node);
        await ShiftTimeAsync(TimeSpan.FromHours(2));

        Assert.Equal((EntryState.Waiting, 0, 0), (found.State, found.Attempt, found.Crashes));
        Assert.Empty(early.Entries);
        Assert.Equal(1, Assert.Single((await ClaimAsync(node)).Entries).Attempt);
    }

    [Fact]
    public async Task A_released_entry_waits_at_once_and_spends_no_attempt()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(priority: 7));

        await FinishAsync(held, OutcomeKind.Released);

        var claimed = Assert.Single((await ClaimAsync(node)).Entries);
        Assert.Equal((held.Id, 1, 0, 7), (claimed.Id, claimed.Attempt, claimed.Crashes, claimed.Priority));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task What_goes_back_keeps_its_priority(OutcomeKind kind)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(priority: 8));
        await FinishAsync(held, kind);
        var urgent = await GivenEntryAsync(Entry(priority: 2));

        var batch = await ClaimAsync(node);

        Assert.Equal([urgent, held.Id], batch.Entries.Select(entry => entry.Id));
        Assert.Equal([2, 8], batch.Entries.Select(entry => entry.Priority));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried, 2)]
    [InlineData(OutcomeKind.Snoozed, 1)]
    [InlineData(OutcomeKind.Released, 1)]
    public async Task What_goes_back_keeps_its_crash_count(OutcomeKind kind, int attempt)
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 2);
        var node = GivenNode();

        await FinishAsync(await ClaimOneAsync(node, id), kind);

        var claimed = Assert.Single((await ClaimAsync(node)).Entries);
        Assert.Equal((2, attempt), (claimed.Crashes, claimed.Attempt));
    }

    [Fact]
    public async Task One_flush_may_hold_every_kind_of_outcome_from_several_claims()
    {
        var node = GivenNode();
        var (first, a) = await GivenBatchAsync(node, 4);
        var (second, b) = await GivenBatchAsync(node, 4);

        await FinishAsync(
            node,
            Outcome(a[0], first),
            Outcome(b[0], second, OutcomeKind.Failed, error: "x", reason: EndReasons.FailedForGood),
            Outcome(a[1], first, OutcomeKind.Retried, error: "y", delay: TimeSpan.FromHours(1)),
            Outcome(b[1], second, OutcomeKind.Snoozed, delay: TimeSpan.FromHours(1)),
            Outcome(a[2], first, OutcomeKind.Released),
            Outcome(b[2], second, OutcomeKind.Cancelled, reason: EndReasons.CancelledByWorker));

        Assert.Equal(new QueueCounts(1, 2, 2, 1, 1, 1), await Store.CountAsync(null, Cancellation));
        Assert.Equal(EntryState.Running, await StateAsync(a[3]));
        Assert.Equal(EntryState.Running, await StateAsync(b[3]));
    }

    [Fact]
    public async Task A_thousand_outcomes_go_in_one_flush()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 1000);

        await FinishAsync(node, [.. ids.Select(
            (id, index) => Outcome(id, fence, index % 10 == 0 ? OutcomeKind.Retried : OutcomeKind.Completed, result: "true"))]);

        Assert.Equal(new QueueCounts(100, 0, 0, 900, 0, 0), await Store.CountAsync(null, Cancellation));
    }

    [Fact]
    public async Task A_result_of_a_megabyte_comes_back_whole()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var result = $"\"{new string('r', 1024 * 1024)}\"";

        await FinishAsync(held, result: result);

        SameJson(result, (await FindAsync(held.Id)).Result);
    }
}
