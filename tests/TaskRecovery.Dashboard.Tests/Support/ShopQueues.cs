namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>Queues, kinds, counts and throughput of the shop.</summary>
internal static class ShopQueues
{
    public static void Fill(FakeSystem system, Texts texts)
    {
        system.Snapshot = new QueueSnapshot
        {
            TakenAt = system.Now,
            Queues =
            [
                Queue(system, texts.Of("default"), 24, 3),
                Queue(system, texts.Of("mail"), 10, 2),
                Queue(system, texts.Of("payments"), 5, 1),
                Queue(system, texts.Of("reports"), 4, 1) with
                {
                    Pause = new PauseInfo { Actor = texts.Of("grace@example.org"), Reason = texts.Of(
                        "month end, wait for the ledger"), Since = system.Now.AddMinutes(-7), Until = system.Now.AddMinutes(23) },
                },
                Queue(system, texts.Of("thumbnails"), 8, 2),
            ],
            Failed = new Count(Ended(system, EntryState.Failed).Count),
            Cancelled = new Count(Ended(system, EntryState.Cancelled).Count),
            Stored = new Count(48_120, CountPrecision.About),
            LastHour = Sum(60),
            LastDay = Sum(1_440),
        };
        system.Kinds.AddRange(
        [
            Kind(system, texts.Of("mail.send"), 2),
            Kind(system, texts.Of("order.confirm"), 3),
            Kind(system, texts.Of("payment.capture"), 1),
            Kind(system, texts.Of("report.monthly"), 1),
            Kind(system, texts.Of("stock.sync"), 2),
            Kind(system, texts.Of("mail.digest"), 0),
            Kind(system, texts.Of("thumbnail"), 2) with
            {
                Pause = new PauseInfo { Actor = texts.Of("ada"), Reason = texts.Of("disk full"), Since = system.Now.AddMinutes(-3) },
            },
        ]);
        system.FailedKinds.AddRange(Groups(system, static entry => entry.Kind));
        system.FailedReasons.AddRange(Groups(system, static entry => entry.Reason ?? ""));
        system.Throughput = Wave;
    }

    public static void Grow(FakeSystem system)
    {
        var queues = system.Snapshot.Queues.Concat(Enumerable.Range(1, 40).Select(static index => new QueueSummary
        {
            Name = $"tenant-{index:000}",
            Due = new Count(100_000, CountPrecision.AtLeast),
            Later = new Count(100_000, CountPrecision.AtLeast),
            Running = new Count(400),
            Concurrency = 400,
            Nodes = 50,
            OldestDue = TimeSpan.FromHours(index),
        }));
        system.Snapshot = system.Snapshot with
        {
            Queues = [.. queues],
            Failed = new Count(10_001, CountPrecision.AtLeast),
            Cancelled = new Count(10_001, CountPrecision.AtLeast),
            Stored = new Count(10_412_990, CountPrecision.About),
            LastHour = new EntryTotals { Enqueued = 12_345_690, Completed = 12_345_678, Retried = 246_913 },
            LastDay = new EntryTotals { Enqueued = 312_345_690, Completed = 312_345_678, Retried = 6_246_913 },
        };
        system.Throughput = static index => Wave(index) with { Completed = 184_000 + (index * 7_919 % 40_000), Enqueued = 201_000 };
    }

    // A node was killed nine minutes ago: for a moment less is done, and then what had waited.
    private static EntryTotals Wave(int index)
    {
        var height = 26 + (int)(11 * Math.Sin(index / 6.0)) + (index * 7 % 9);
        return index == 9 ? new EntryTotals { Enqueued = 30, Completed = 9, Lost = 3 } : new EntryTotals
        {
            Enqueued = height + (index % 5) - 2,
            Completed = index == 8 ? height + 24 : height,
            Failed = index % 13 == 0 ? 3 : index % 7 == 0 ? 1 : 0,
            Cancelled = index % 17 == 4 ? 1 : 0,
        };
    }

    private static EntryTotals Sum(int minutes) => Enumerable.Range(0, minutes).Select(Wave).Aggregate(static (sum, one) => new EntryTotals
    {
        Enqueued = sum.Enqueued + one.Enqueued,
        Completed = sum.Completed + one.Completed,
        Failed = sum.Failed + one.Failed,
        Cancelled = sum.Cancelled + one.Cancelled,
        Lost = sum.Lost + one.Lost,
    });

    // What the lists show is what is counted.
    private static QueueSummary Queue(FakeSystem system, string name, int concurrency, int nodes)
    {
        var entries = system.Lives.Select(static life => life.Entry).Where(entry => entry.Queue == name).ToList();
        var due = entries.Where(entry => entry.State == EntryState.Waiting && entry.RunAt <= system.Now).ToList();
        return new QueueSummary
        {
            Name = name,
            Due = new Count(due.Count),
            Later = new Count(entries.Count(entry => entry.State == EntryState.Waiting && entry.RunAt > system.Now)),
            Running = new Count(entries.Count(static entry => entry.State == EntryState.Running)),
            Concurrency = concurrency,
            Nodes = nodes,
            OldestDue = due.Count == 0 ? null : system.Now - due.Min(static entry => entry.RunAt),
        };
    }

    private static KindSummary Kind(FakeSystem system, string name, int nodes)
    {
        var waiting = system.Lives.Select(static life => life.Entry).Where(
            entry => entry.Kind == name && entry.State == EntryState.Waiting).ToList();
        var oldest = waiting.Where(entry => entry.RunAt <= system.Now).Min(static entry => entry.RunAt);
        return new KindSummary
        {
            Name = name,
            Waiting = new Count(waiting.Count),
            Nodes = nodes,
            OldestDue = oldest is { } at ? system.Now - at : null,
        };
    }

    private static List<QueueEntry> Ended(FakeSystem system, EntryState state)
        => [.. system.Lives.Select(static life => life.Entry).Where(entry => entry.State == state)];

    private static IEnumerable<EntryGroup> Groups(FakeSystem system, Func<QueueEntry, string> key)
        => Ended(system, EntryState.Failed).GroupBy(key).OrderByDescending(static group => group.Count()).Select(
            static group => new EntryGroup(group.Key, new Count(group.Count())));
}
