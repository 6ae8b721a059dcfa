using Microsoft.Extensions.Logging;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>What runs say of themselves, and what is known of the lost ones.</summary>
public abstract class RunInfoTests(StoreFixture fixture) : StoreTests(fixture)
{
    private const string Vitals = """
        {"memory":1000,"limit":2000,"gc":1.5,"queue":3,"cpu":50.5,"running":2,"steps":{"1":"render"}}
        """;

    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task The_last_report_of_a_run_is_shown()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);

        await RunInfo.SaveReportAsync(node.Id, held.Id, held.Fence, 1, null, null, Cancellation);
        await RunInfo.SaveReportAsync(node.Id, held.Id, held.Fence, 40, 100, "rendering", Cancellation);

        var progress = (await LifeAsync(held.Id)).Progress;
        Assert.Equal((40L, 100L, "rendering", held.Fence), (progress!.Done, progress.Total!.Value, progress.Message, progress.Fence));
    }

    [Fact]
    public async Task A_report_of_a_node_that_lost_the_claim_is_not_stored()
    {
        var (first, second) = (GivenNode(), GivenNode());
        var held = await GivenClaimedAsync(first);
        await DieAndSweepAsync(first);
        var again = await ClaimOneAsync(second, held.Id);
        await RunInfo.SaveReportAsync(second.Id, held.Id, again.Fence, 7, null, null, Cancellation);

        await RunInfo.SaveReportAsync(first.Id, held.Id, held.Fence, 99, null, null, Cancellation);
        await RunInfo.SaveReportAsync(first.Id, held.Id, again.Fence, 99, null, null, Cancellation);

        Assert.Equal(7, (await LifeAsync(held.Id)).Progress!.Done);
    }

    [Fact]
    public async Task Log_lines_are_listed_in_the_order_of_runs_and_parts_and_each_part_once()
    {
        var id = await GivenEntryAsync();
        RunLogPart[] parts = [new(id, 2, 0, [Line(2, "c")]), new(id, 1, 1, [Line(1, "b")]), new(
            id, 1, 0, [Line(1, "a1"), Line(1, "a2", LogLevel.Error)])];

        await RunInfo.AppendLogAsync(parts, Cancellation);
        await RunInfo.AppendLogAsync([parts[0], new(123456, 1, 0, [Line(1, "no entry")])], Cancellation);

        Assert.Equal(
            [Line(1, "a1"), Line(1, "a2", LogLevel.Error), Line(1, "b"), Line(2, "c")], await Monitor.ListLogAsync(id, Cancellation));
        Assert.Empty(await Monitor.ListLogAsync(123456, Cancellation));
    }

    [Fact]
    public async Task Reports_and_logs_are_removed_with_their_entry_and_erased_with_its_data()
    {
        var node = GivenNode();
        var purged = await GivenClaimedAsync(node);
        await WriteAsync(node, purged);
        await FinishAsync(purged);
        await Store.RemoveSettledClaimsAsync(node.Id, [purged.Fence], Cancellation);
        await ShiftTimeAsync(TimeSpan.FromDays(3));
        var erased = await GivenClaimedAsync(node);
        await WriteAsync(node, erased);

        await PurgeAsync();
        await Store.EraseAsync(EraseTarget.Entry(erased.Id), Cancellation);

        Assert.Empty(await Monitor.ListLogAsync(purged.Id, Cancellation));
        Assert.Empty(await Monitor.ListLogAsync(erased.Id, Cancellation));
        Assert.Null((await LifeAsync(erased.Id)).Progress);
    }

    [Fact]
    public async Task A_lost_run_has_a_black_box()
    {
        var node = GivenNode("victim");
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await Store.SaveStepAsync(node.Id, new ProgressKey(ids[0], null), fence, "prepare", Json("1"), Cancellation);
        node.Session.SendHeartbeat(
            node.Id, node.Registration.HoldsLock, () => true, Vitals.Replace("\"1\"", $"\"{ids[0]}\"", StringComparison.Ordinal).Trim());
        var peer = Watch(node)!.Value;
        WaitUntil(
            () => Judge.Session.MarkDead([peer with { Proof = DeathProof.LeaseExpired }], "judge").Count == 1, "the node is declared dead");
        await SweepAsync();

        var box = Assert.Single((await LifeAsync(ids[0])).Runs).BlackBox;
        var other = Assert.Single((await LifeAsync(ids[1])).Runs).BlackBox;

        Assert.NotNull(box);
        Assert.Equal(("render", DeathProof.LeaseExpired, "judge"), (box.Step, box.Proof, box.DeclaredBy));
        Assert.Equal([ids[1], ids[2]], box.RanBeside);
        Assert.InRange(box.ProgressAge!.Value, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.Equal(new NodeVitals
        {
            WorkingSetBytes = 1000,
            MemoryLimitBytes = 2000,
            GcPausePercent = 1.5,
            ThreadPoolQueue = 3,
            CpuPercent = 50.5,
            Running = 2,
        }, box.Vitals);
        Assert.Equal((null, null), (other!.Step, other.ProgressAge));
    }

    [Fact]
    public async Task A_step_in_which_a_node_died_is_erased_with_its_entry()
    {
        var node = GivenNode("victim");
        var (_, ids) = await GivenBatchAsync(node, 3);
        Report(node, $$"""{"{{ids[0]}}":"of Ann","{{ids[1]}}":"other \u0022}\u0022, \\","{{ids[2]}}0":"of nobody"}""");
        await DieAndSweepAsync(node);
        var boxes = new[] { await BoxAsync(ids[0]), await BoxAsync(ids[1]), await BoxAsync(ids[2]) };

        await Store.EraseAsync(EraseTarget.Entry(ids[0]), Cancellation);

        Assert.Equal(["of Ann", "other \"}\", \\", null], boxes.Select(static box => box.Step));
        Assert.All(boxes, static box => Assert.Equal(1000, box.Vitals!.WorkingSetBytes));
        var (outcomes, nodes) = (await Fixture.ReadTextAsync("outcomes", Cancellation), await Fixture.ReadTextAsync("nodes", Cancellation));
        Assert.Contains("other ", outcomes, StringComparison.Ordinal);
        Assert.DoesNotContain("of Ann", outcomes, StringComparison.Ordinal);
        Assert.Contains("victim", nodes, StringComparison.Ordinal);
        Assert.DoesNotContain("of Ann", nodes, StringComparison.Ordinal);
        Assert.DoesNotContain("other ", nodes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_died_or_left_without_entries_keeps_no_step()
    {
        foreach (var name in (string[])["dead", "left"])
        {
            var node = GivenNode(name);
            var held = await GivenClaimedAsync(node);
            Report(node, $$"""{"{{held.Id}}":"of Ann"}""");
            await FinishAsync(held);
            await Store.RemoveSettledClaimsAsync(node.Id, [held.Fence], Cancellation);
            if (name == "dead")
            {
                Die(node);
            }
            else
            {
                node.Session.Leave(node.Id);
            }
        }

        await SweepAsync();

        var nodes = await Fixture.ReadTextAsync("nodes", Cancellation);
        Assert.Contains("dead", nodes, StringComparison.Ordinal);
        Assert.Contains("left", nodes, StringComparison.Ordinal);
        Assert.DoesNotContain("of Ann", nodes, StringComparison.Ordinal);
        Assert.Equal(1000, (await Monitor.ListNodesAsync(Cancellation)).Single(static node => node.Name == "dead").Vitals!.WorkingSetBytes);
    }

    [Fact]
    public async Task A_crash_loop_has_a_black_box_and_other_ends_have_none()
    {
        var looping = await GivenEntryAsync();
        await CrashAsync(looping, MaxCrashes + 1);
        var node = GivenNode();
        var done = await GivenClaimedAsync(node);
        await FinishAsync(done);

        var runs = (await LifeAsync(looping)).Runs;

        Assert.All(runs, run => Assert.NotNull(run.BlackBox));
        Assert.Equal((EntryRunEnd.Failed, EndReasons.CrashLoop), (runs[^1].End, runs[^1].Reason));
        Assert.Null(Assert.Single((await LifeAsync(done.Id)).Runs).BlackBox);
    }

    [Fact]
    public async Task A_living_node_shows_the_vitals_of_its_last_heartbeat()
    {
        var node = GivenNode();

        node.Session.SendHeartbeat(node.Id, node.Registration.HoldsLock, () => true, Vitals.Trim());
        node.Session.SendHeartbeat(node.Id, node.Registration.HoldsLock, () => true);

        var vitals = Assert.Single(await Monitor.ListNodesAsync(Cancellation)).Vitals;
        Assert.Equal((1000L, 2), (vitals!.WorkingSetBytes, vitals.Running));
    }

    private static void Report(TestNode node, string steps)
        => node.Session.SendHeartbeat(
            node.Id, node.Registration.HoldsLock, () => true,
            Vitals.Replace("""{"1":"render"}""", steps, StringComparison.Ordinal).Trim());

    private async Task<BlackBox> BoxAsync(long entryId) => Assert.Single((await LifeAsync(entryId)).Runs).BlackBox!;

    private async Task WriteAsync(TestNode node, Held held)
    {
        await RunInfo.SaveReportAsync(node.Id, held.Id, held.Fence, 1, 2, "secret", Cancellation);
        await RunInfo.AppendLogAsync([new(held.Id, held.Fence, 0, [Line(held.Fence, "secret")])], Cancellation);
        Assert.Single(await Monitor.ListLogAsync(held.Id, Cancellation));
    }

    private async Task<EntryLife> LifeAsync(long entryId) => (await Monitor.GetLifeAsync(entryId, null, Cancellation))!;

    private static RunLogLine Line(long fence, string message, LogLevel level = LogLevel.Information)
        => new(fence, Noon, level, "Category", message);
}
