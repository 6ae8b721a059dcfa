using TaskRecovery.Cli.Commands;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The doctor finds work that waits although the nodes are well.</summary>
public sealed class StuckWorkTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kind_that_only_nodes_of_other_queues_can_run_is_found(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.EnqueueAsync(2);
        using var batch = await store.Cli.JoinAsync("batch", "1.0.0", "default", "other");
        using var web = await store.Cli.JoinAsync("web", "1.0.0", "mail", "render");

        var found = await store.Cli.RunAsync("doctor");
        using var right = await store.Cli.JoinAsync("right", "1.0.0", "default", "render");
        var repaired = await store.Cli.RunAsync("doctor");

        Assert.Equal(1, found.ExitCode);
        Assert.Contains("warning  misplaced kinds: 2 entries of kind render wait in queue default, and no living node that serves this "
            + "queue has a worker for the kind. Nodes of other queues have one. Repair: Let one of these nodes serve the queue too "
            + "(TaskRecoveryOptions.Queues), or add the worker to a node of the queue.", found.Lines);
        Assert.Contains("ok       unknown kinds: Nothing found.", found.Lines);
        Assert.Contains("ok       unserved queues: Nothing found.", found.Lines);
        Assert.Contains("ok       misplaced kinds: Nothing found.", repaired.Lines);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_node_serves_no_queue_and_runs_no_kind(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.EnqueueAsync(2);
        using var node = await store.Cli.JoinAsync("web", "1.0.0", "default", "render");
        var alive = await store.Cli.RunAsync("doctor");

        await store.SilenceNodesAsync();
        var silent = await store.Cli.RunAsync("doctor");
        var queue = (await store.Cli.RunAsync("queues", "--json")).Json()[0];

        Assert.Contains("ok       unserved queues: Nothing found.", alive.Lines);
        Assert.Contains("ok       unknown kinds: Nothing found.", alive.Lines);
        AssertFound(silent, "silent nodes: Node web on ");
        AssertFound(silent, "unserved queues: 2 entries of queue default are due, and no living node serves it.");
        Assert.Contains("ok       unknown kinds: Nothing found.", silent.Lines);
        Assert.Equal((0, 0), (queue.GetProperty("nodes").GetInt32(), queue.GetProperty("concurrency").GetInt32()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiting_work_is_not_to_be_cancelled_because_its_nodes_are_gone(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.EnqueueAsync(2);
        var stopped = await store.Cli.RunAsync("doctor");

        using var web = await store.Cli.JoinAsync("web", "1.0.0", "default", "render");
        await store.SilenceNodesAsync();
        using var batch = await store.Cli.JoinAsync("batch", "1.0.0", "batch", "other");
        var silent = await store.Cli.RunAsync("doctor");

        AssertFound(
            stopped, "unknown kinds: No living node serves a queue", "Entries of these kinds wait: render.", "Repair: Start the nodes");
        Assert.Contains("ok       unknown kinds: Nothing found.", silent.Lines);
        Assert.DoesNotContain("taskrecovery cancel", stopped.Out + silent.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_work_of_a_dead_node_waits_for_its_successor()
    {
        KindSummary[] kinds = [new() { Name = "mail", Waiting = new Count(1) }, new() { Name = "scan", Waiting = new Count(1) }];
        NodeSummary[] nodes = [NodeOf(NodeState.Alive, "other"), NodeOf(NodeState.Dead, "mail")];

        var found = KindFindings.FindUnknown(kinds, nodes).ToList();

        Assert.Equal("Start a node that has one (AddWorker): a node that had one is dead.", found[0].Repair);
        Assert.Equal("Start a node that has one (AddWorker), or: taskrecovery cancel --kind 'scan'", found[1].Repair);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pause_is_found_if_entries_are_due_behind_it_or_its_end_has_passed(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.RunAsync("pause", "queue", "default", "--new", "--yes", "--actor", "anna", "--until", "2099-01-01");
        await store.Cli.RunAsync("pause", "kind", "render", "--new", "--yes", "--actor", "anna");
        var idle = await store.Cli.RunAsync("doctor");
        await store.Cli.EnqueueAsync(2);

        var due = await store.Cli.RunAsync("doctor");
        await store.ExecuteAsync(onServer
            ? "delete from {waiting}; update {queues} set paused_until = clock_timestamp() - interval '1 hour'"
            : "delete from {waiting}; update {queues} set paused_until_at = (unixepoch() - 3600) * 1000000");
        var overdue = await store.Cli.RunAsync("doctor");

        Assert.Contains("ok       pauses: Nothing found.", idle.Lines);
        Assert.Equal(1, due.ExitCode);
        AssertFound(due, "The queue default is paused by anna", "and 2 entries of it are due, the oldest for", "resume queue 'default'");
        AssertFound(due, "The kind render is paused by anna", "and entries of it are due, the oldest for", "resume kind 'render'");
        Assert.Equal(1, overdue.ExitCode);
        AssertFound(overdue, "The queue default is paused by anna", "which no running node has ended.", "resume queue 'default'");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_queue_whose_oldest_due_entry_has_waited_for_long_is_found(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        using var node = await store.Cli.JoinAsync("web", "1.0.0", "default", "render");
        await store.Cli.EnqueueAsync(2);
        var early = await store.Cli.RunAsync("doctor");
        await store.ExecuteAsync(onServer
            ? "update {waiting} set run_at = run_at - interval '2 hours'"
            : "update {waiting} set run_at = run_at - 7200000000");

        var late = await store.Cli.RunAsync("doctor");

        Assert.Contains("ok       long waits: Nothing found.", early.Lines);
        Assert.Equal(1, late.ExitCode);
        AssertFound(late, "long waits: The oldest due entry of queue default has waited for 2h", "; 2 are due.", "taskrecovery kinds");
    }

    [Fact]
    public void A_kind_that_was_not_counted_is_not_taken_for_one_without_entries()
    {
        var many = new Count(100_000, CountPrecision.AtLeast);
        KindSummary[] kinds =
        [
            new() { Name = "counted", Waiting = many, Nodes = 1 },
            new() { Name = "beyond", Waiting = many with { Value = 0 }, Nodes = 0 },
            new() { Name = "served", Waiting = many with { Value = 0 }, Nodes = 1 },
            new() { Name = "empty", Waiting = new Count(0), Nodes = 0 },
        ];

        var finding = Assert.Single(KindFindings.FindUnknown(kinds, []));

        Assert.EndsWith("for which no living node has a worker: beyond.", finding.Text, StringComparison.Ordinal);
    }

    private static NodeSummary NodeOf(NodeState state, string kind) => new()
    {
        Id = Guid.NewGuid(),
        Name = $"of {kind}",
        State = state,
        Machine = "elsewhere",
        ProcessId = 1,
        StartedAt = DateTimeOffset.UnixEpoch,
        HeartbeatAge = TimeSpan.Zero,
        Queues = [new NodeQueue("default", 1)],
        Kinds = [kind],
    };

    private static void AssertFound(CliResult result, params string[] parts)
        => Assert.Contains(result.Lines, line => line.StartsWith("warning", StringComparison.Ordinal)
            && parts.All(part => line.Contains(part, StringComparison.Ordinal)));
}
