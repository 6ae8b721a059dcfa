using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Recovery;

/// <summary>Tests entries whose nodes keep dying: crashes are counted, suspects are isolated, and an entry is failed only if no other entry
/// can be the cause.</summary>
public abstract class CrashLoopTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task An_entry_that_crashes_more_often_than_allowed_ends_as_a_crash_loop()
    {
        var id = await GivenEntryAsync();

        await CrashAsync(id, 3);
        var before = await FindAsync(id);
        var node = GivenNode();
        await ClaimOneAsync(node, id);
        var report = await DieAndSweepAsync(node);

        Assert.Equal((EntryState.Waiting, 3), (before.State, before.Crashes));
        var item = Assert.Single(report.Items);
        Assert.Equal((RecoveryAction.Closed, id, EndReasons.CrashLoop), (item.Action, item.EntryId!.Value, item.Reason));
        Assert.True(item.NodeDied);
        var found = await FindAsync(id);
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), (found.State, found.Reason));
        Assert.Equal(
            $"4 nodes died while they held this entry, which made no progress; in the last one ({item.Node}) it was the only suspect.",
            found.Error);
        Assert.NotNull(found.EndedAt);
        Assert.Empty((await ClaimAsync(GivenNode())).Entries);
    }

    [Fact]
    public async Task With_one_crash_allowed_the_second_ends_it()
    {
        var id = await GivenEntryAsync();

        await CrashAsync(id, 1, maxCrashes: 1);
        var between = await FindAsync(id);
        await CrashAsync(id, 1, maxCrashes: 1);

        Assert.Equal((EntryState.Waiting, 1), (between.State, between.Crashes));
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), ((await FindAsync(id)).State, (await FindAsync(id)).Reason));
    }

    [Fact]
    public async Task Progress_since_the_last_crash_starts_the_count_again()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 3);
        var step = await ClaimOneAsync(GivenNode(), id);
        Assert.True(await Store.SaveStepAsync(step.Node.Id, new ProgressKey(id, null), step.Fence, "one", Json("1"), Cancellation));
        await DieAndSweepAsync(step.Node);
        var afterStep = await FindAsync(id);
        await CrashAsync(id, 2);
        var checkpoint = await ClaimOneAsync(GivenNode(), id);
        Assert.True(await Store.SaveCheckpointAsync(
            checkpoint.Node.Id, new ProgressKey(id, null), checkpoint.Fence, Json("1"), Cancellation));

        await DieAndSweepAsync(checkpoint.Node);

        Assert.Equal((EntryState.Waiting, 1), (afterStep.State, afterStep.Crashes));
        Assert.Equal((EntryState.Waiting, 1), ((await FindAsync(id)).State, (await FindAsync(id)).Crashes));
    }

    [Fact]
    public async Task Progress_of_an_earlier_run_does_not_start_the_count_again()
    {
        var id = await GivenEntryAsync();
        var step = await ClaimOneAsync(GivenNode(), id);
        await Store.SaveStepAsync(step.Node.Id, new ProgressKey(id, null), step.Fence, "one", Json("1"), Cancellation);
        await DieAndSweepAsync(step.Node);

        await CrashAsync(id, 2);

        Assert.Equal(3, (await FindAsync(id)).Crashes);
    }

    [Fact]
    public async Task Innocent_company_of_a_crash_loop_goes_on()
    {
        var poison = await GivenEntryAsync();
        await CrashAsync(poison, 3);
        var innocent = await GivenEntriesAsync(20);
        var node = GivenNode();
        var batch = await ClaimAsync(node);
        Assert.Equal([poison, .. innocent], batch.Entries.Select(entry => entry.Id));

        var report = await DieAndSweepAsync(node);

        Assert.Equal((20, 1), (report.Recovered, report.Closed));
        Assert.Equal(EndReasons.CrashLoop, (await FindAsync(poison)).Reason);
        var again = (await ClaimAsync(GivenNode())).Entries;
        Assert.Equal(innocent, again.Select(entry => entry.Id));
        Assert.All(again, entry => Assert.Equal(1, entry.Crashes));
    }

    [Fact]
    public async Task A_suspect_that_had_company_of_another_suspect_is_spared()
    {
        var first = await GivenCrashedAsync(3);
        var second = await GivenCrashedAsync(3);
        await Store.SetPausedAsync("parked", false, Cancellation);
        var node = GivenNode();
        Assert.Equal(first, Assert.Single((await ClaimAsync(node, queue: "parked")).Entries).Id);
        Assert.Equal(second, Assert.Single((await ClaimAsync(node, queue: "parked")).Entries).Id);

        var report = await DieAndSweepAsync(node);

        Assert.Equal((2, 0), (report.Recovered, report.Closed));
        foreach (var id in new[] { first, second })
        {
            Assert.Equal((EntryState.Waiting, 3), ((await FindAsync(id)).State, (await FindAsync(id)).Crashes));
        }
    }

    [Fact]
    public async Task A_suspect_whose_company_had_finished_is_not_spared()
    {
        var first = await GivenCrashedAsync(3);
        var second = await GivenCrashedAsync(3);
        await Store.SetPausedAsync("parked", false, Cancellation);
        var node = GivenNode();
        var one = await ClaimAsync(node, queue: "parked");
        await ClaimAsync(node, queue: "parked");
        await FinishAsync(node, Outcome(first, one.Fence));

        await DieAndSweepAsync(node);

        Assert.Equal(EntryState.Completed, await StateAsync(first));
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), ((await FindAsync(second)).State, (await FindAsync(second)).Reason));
    }

    [Fact]
    public async Task An_entry_at_its_last_chance_is_known_to_wait_if_a_claim_could_take_it()
    {
        var id = await GivenEntryAsync();
        var node = GivenNode();
        await CrashAsync(id, 2);
        var suspect = await node.Claimer().HasLastChanceAsync(MaxCrashes, Cancellation);
        await CrashAsync(id, 1);

        var waits = await node.Claimer().HasLastChanceAsync(MaxCrashes, Cancellation);
        var ofOtherKinds = await node.Claimer(DefaultQueue, "other").HasLastChanceAsync(MaxCrashes, Cancellation);
        await Store.SetPausedAsync(DefaultQueue, true, Cancellation);
        var paused = await node.Claimer().HasLastChanceAsync(MaxCrashes, Cancellation);

        Assert.Equal((false, true, false, false), (suspect, waits, ofOtherKinds, paused));
    }

    [Fact]
    public async Task A_suspect_is_claimed_only_when_suspects_are_allowed()
    {
        var twice = await GivenCrashedAsync(2);
        var last = await GivenCrashedAsync(3);
        await Store.SetPausedAsync("parked", false, Cancellation);
        var ordinary = await GivenEntryAsync(Entry(queue: "parked"));
        var node = GivenNode();

        var none = await ClaimAsync(node, queue: "parked", suspects: new SuspectAllowance(MaxCrashes, 0, 0));
        var suspects = await ClaimAsync(node, queue: "parked", suspects: new SuspectAllowance(MaxCrashes, 5, 0));
        var lastChance = await ClaimAsync(node, queue: "parked", suspects: new SuspectAllowance(MaxCrashes, 0, 1));

        Assert.Equal(ordinary, Assert.Single(none.Entries).Id);
        Assert.Equal(twice, Assert.Single(suspects.Entries).Id);
        Assert.Equal(last, Assert.Single(lastChance.Entries).Id);
    }

    [Fact]
    public async Task No_more_suspects_come_than_are_allowed()
    {
        var suspects = new List<long>();
        for (var index = 0; index < 4; index++)
        {
            suspects.Add(await GivenCrashedAsync(2));
        }

        var last = new List<long> { await GivenCrashedAsync(3), await GivenCrashedAsync(3) };
        await Store.SetPausedAsync("parked", false, Cancellation);
        var ordinary = await GivenEntriesAsync(3, _ => Entry(queue: "parked"));
        var node = GivenNode();

        var one = (await ClaimAsync(node, queue: "parked", suspects: new SuspectAllowance(MaxCrashes, 3, 0))).Entries
            .Select(entry => entry.Id)
            .ToArray();
        var two = (await ClaimAsync(node, queue: "parked", suspects: new SuspectAllowance(MaxCrashes, 0, 1))).Entries
            .Select(entry => entry.Id)
            .ToArray();

        Assert.Equal(3, one.Intersect(suspects).Count());
        Assert.Equal(ordinary, one.Intersect(ordinary).Order());
        Assert.Empty(one.Intersect(last));
        Assert.Single(two.Intersect(last));
        Assert.Empty(two.Intersect(suspects));
    }

    [Fact]
    public async Task An_entry_that_crashed_once_is_no_suspect()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 1);

        var batch = await ClaimAsync(GivenNode(), suspects: new SuspectAllowance(MaxCrashes, 0, 0));

        Assert.Equal(id, Assert.Single(batch.Entries).Id);
    }

    [Fact]
    public async Task A_suspect_stays_one_when_it_is_retried_or_put_off()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 2);
        var node = GivenNode();
        await FinishAsync(await ClaimOneAsync(node, id), OutcomeKind.Retried, error: "boom");
        var retried = await ClaimAsync(node, suspects: new SuspectAllowance(MaxCrashes, 0, 0));
        await FinishAsync(await ClaimOneAsync(node, id), OutcomeKind.Snoozed);

        var snoozed = await ClaimAsync(node, suspects: new SuspectAllowance(MaxCrashes, 0, 0));

        Assert.Empty(retried.Entries);
        Assert.Empty(snoozed.Entries);
        await ClaimOneAsync(node, id);
    }

    [Fact]
    public async Task An_entry_that_crashed_once_and_is_retried_waits_in_its_own_priority()
    {
        var id = await GivenEntryAsync(Entry(priority: 7));
        await CrashAsync(id, 1);
        var node = GivenNode();
        await FinishAsync(await ClaimOneAsync(node, id), OutcomeKind.Retried, error: "boom");
        var urgent = await GivenEntryAsync(Entry(priority: 3));

        Assert.Equal([urgent, id], (await ClaimAsync(node)).Entries.Select(entry => entry.Id));
    }

    /// <summary>Stores an entry in a paused queue after it has crashed this often. Resume the queue to claim it.</summary>
    private async Task<long> GivenCrashedAsync(int crashes)
    {
        // Each entry crashes alone: the other entries of the queue are released first. The queue is then paused.
        await Store.SetPausedAsync("parked", false, Cancellation);
        var id = await GivenEntryAsync(Entry(queue: "parked"));
        for (var time = 0; time < crashes; time++)
        {
            var node = GivenNode();
            var others = new List<(long Id, long Fence)>();
            while (true)
            {
                var batch = await ClaimAsync(node, queue: "parked");
                others.AddRange(batch.Entries.Where(entry => entry.Id != id).Select(entry => (entry.Id, batch.Fence)));
                if (batch.Entries.Any(entry => entry.Id == id) || batch.Entries.Count == 0)
                {
                    break;
                }
            }

            await FinishAsync(node, [.. others.Select(other => Outcome(other.Id, other.Fence, OutcomeKind.Released))]);
            await DieAndSweepAsync(node);
        }

        Assert.Equal(crashes, (await FindAsync(id)).Crashes);
        await Store.SetPausedAsync("parked", true, Cancellation);
        return id;
    }
}
