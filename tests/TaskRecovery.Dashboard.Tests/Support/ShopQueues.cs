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
                Queue(texts.Of("default"), 12, 38, 7, 20, 2, TimeSpan.FromMilliseconds(840)),
                Queue(texts.Of("mail"), 3, 214, 2, 10, 2, TimeSpan.FromSeconds(2.2)),
                Queue(texts.Of("payments"), 0, 4, 1, 5, 1, null),
                Queue(texts.Of("reports"), 41, 2, 0, 4, 1, TimeSpan.FromMinutes(6.4)) with
                {
                    Pause = new PauseInfo { Actor = texts.Of("grace@example.org"), Reason = texts.Of(
                        "month end, wait for the ledger"), Since = system.Now.AddMinutes(-7), Until = system.Now.AddMinutes(23) },
                },
                Queue(texts.Of("thumbnails"), 0, 0, 0, 8, 2, null),
            ],
            Failed = new Count(23),
            Cancelled = new Count(4),
            Stored = new Count(48_120, CountPrecision.About),
            LastHour = Totals(1_912) with { Failed = 5, Lost = 2 },
            LastDay = Totals(41_220) with { Failed = 21, Lost = 3 },
        };
        system.Kinds.AddRange(
        [
            Kind(texts.Of("mail.send"), 217, 2),
            Kind(texts.Of("order.confirm"), 9, 2),
            Kind(texts.Of("payment.capture"), 4, 1),
            Kind(texts.Of("report.monthly"), 41, 1),
            Kind(texts.Of("stock.sync"), 18, 2),
            Kind(texts.Of("mail.digest"), 3, 0) with { OldestDue = TimeSpan.FromMinutes(11) },
            Kind(texts.Of("thumbnail"), 0, 2) with { Pause = new PauseInfo { Actor = texts.Of("ada"), Reason = texts.Of("disk full") } },
        ]);
        system.FailedKinds.AddRange([Group(texts.Of("payment.capture"), 12), Group(texts.Of("mail.send"), 7),
            Group(texts.Of("report.monthly"), 3), Group(texts.Of("stock.sync"), 1)]);
        system.FailedReasons.AddRange([Group(texts.Of(EndReasons.AttemptsExhausted), 19),
            Group(texts.Of(EndReasons.FailedForGood), 3), Group(texts.Of(EndReasons.CrashLoop), 1)]);
        system.Throughput = Wave;
    }

    public static void Grow(FakeSystem system)
    {
        var queues = system.Snapshot.Queues.Concat(Enumerable.Range(1, 40).Select(static index =>
            Queue($"tenant-{index:000}", 100_000, 100_000, 400, 400, 50, TimeSpan.FromHours(index)) with
            {
                Due = new Count(100_000, CountPrecision.AtLeast),
                Later = new Count(100_000, CountPrecision.AtLeast),
            }));
        system.Snapshot = system.Snapshot with
        {
            Queues = [.. queues],
            Failed = new Count(10_001, CountPrecision.AtLeast),
            Cancelled = new Count(10_001, CountPrecision.AtLeast),
            Stored = new Count(10_412_990, CountPrecision.About),
            LastHour = Totals(12_345_678),
            LastDay = Totals(312_345_678),
        };
        system.Throughput = static index => Wave(index) with { Completed = 184_000 + (index * 7_919 % 40_000), Enqueued = 201_000 };
    }

    private static EntryTotals Wave(int index)
    {
        var height = 26 + (int)(11 * Math.Sin(index / 6.0)) + (index * 7 % 9);
        return index is > 31 and < 35 ? new EntryTotals { Enqueued = 30, Lost = index == 34 ? 6 : 0 } : new EntryTotals
        {
            Enqueued = height + (index % 5) - 2,
            Completed = index == 31 ? height + 34 : height,
            Failed = index % 13 == 0 ? 3 : index % 7 == 0 ? 1 : 0,
            Cancelled = index % 17 == 4 ? 2 : 0,
        };
    }

    private static QueueSummary Queue(string name, long due, long later, long running, int concurrency, int nodes, TimeSpan? oldest)
        => new()
        {
            Name = name,
            Due = new Count(due),
            Later = new Count(later),
            Running = new Count(running),
            Concurrency = concurrency,
            Nodes = nodes,
            OldestDue = oldest,
        };

    private static KindSummary Kind(string name, long waiting, int nodes)
        => new() { Name = name, Waiting = new Count(waiting), Nodes = nodes };

    private static EntryGroup Group(string key, long count) => new(key, new Count(count));

    private static EntryTotals Totals(long completed)
        => new() { Enqueued = completed + 12, Completed = completed, Retried = completed / 50 };
}
