namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The nodes of the shop: two alive, one silent, one dead, one that left.</summary>
internal static class ShopNodes
{
    public static void Fill(FakeSystem system, Texts texts) => system.Nodes.AddRange(
    [
        Node(system, texts, 1, "shop-web-1", NodeState.Alive, TimeSpan.FromMilliseconds(310), 7) with
        {
            Queues = [new NodeQueue(texts.Of("default"), 10), new NodeQueue(texts.Of("mail"), 5), new NodeQueue(texts.Of("thumbnails"), 4)],
            StartedAt = system.Now.AddMinutes(-181),
        },
        Node(system, texts, 2, "shop-web-2", NodeState.Alive, TimeSpan.FromMilliseconds(720), 3) with
        {
            Queues =
            [
                new NodeQueue(texts.Of("default"), 10), new NodeQueue(texts.Of("mail"), 5), new NodeQueue(texts.Of("payments"), 5),
                new NodeQueue(texts.Of("reports"), 4), new NodeQueue(texts.Of("thumbnails"), 4),
            ],
            StartedAt = system.Now.AddMinutes(-8.6),
        },
        Node(system, texts, 3, "shop-batch-1", NodeState.Silent, TimeSpan.FromSeconds(8.4), 2) with
        {
            Queues = [new NodeQueue(texts.Of("default"), 4)],
        },
        Node(system, texts, 4, "shop-web-2", NodeState.Dead, TimeSpan.FromMinutes(9), 0) with
        {
            DeadAt = system.Now.AddSeconds(-547.74), Proof = DeathProof.LockFree,
            DeclaredBy = texts.Of("shop-web-1"), StartedAt = system.Now.AddHours(-31),
            Machine = texts.Of("vm-2"), ProcessId = 3_871,
        },
        Node(system, texts, 5, "shop-web-1", NodeState.Left, TimeSpan.FromHours(3),
            0) with
        {
            DeadAt = system.Now.AddMinutes(-182), Proof = DeathProof.Left, StartedAt = system.Now.AddDays(-6),
            Machine = texts.Of("vm-1"), ProcessId = 2_214,
        },
    ]);

    public static void Grow(FakeSystem system) => system.Nodes.InsertRange(0, Enumerable.Range(10, 45).Select(index =>
        Node(system, Texts.Plain, index, $"worker-{index}.eu-central.example.org", NodeState.Alive, TimeSpan.FromMilliseconds(index
            * 17), 400) with
        {
            Queues = [.. Enumerable.Range(1, 12).Select(static queue => new NodeQueue($"tenant-{queue:000}", 400))],
        }));

    private static NodeSummary Node(
        FakeSystem system, Texts texts, int number, string name, NodeState state, TimeSpan heartbeat, int entries)
        => new()
        {
            Id = new Guid(number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
            Name = texts.Of(name),
            State = state,
            Machine = texts.Of($"vm-{number}"),
            ProcessId = 4_000 + number,
            LibraryVersion = "0.1.0",
            ApplicationVersion = texts.Of("2.14.0"),
            StartedAt = system.Now.AddHours(-3 * number),
            HeartbeatAge = heartbeat,
            HoldsLock = true,
            Claims = entries,
            Entries = entries,
            Vitals = new NodeVitals
            {
                WorkingSetBytes = 184L << 20,
                MemoryLimitBytes = 1L << 30,
                CpuPercent = 12
                + number,
                GcPausePercent = 0.4,
                Running = entries,
            },
        };
}
