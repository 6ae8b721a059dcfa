namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The fake system of a shop: one of every thing that a page can show, at a fixed time.</summary>
internal static class Shop
{
    public const long CrashedEntry = 4_127;
    public const long RunningEntry = 4_190;
    public const long FailedEntry = 4_104;
    public const long WaitingEntry = 4_188;
    public const long CompletedEntry = 4_150;

    public static DateTimeOffset Now { get; } = new(2026, 11, 29, 14, 32, 8, 412, TimeSpan.Zero);

    public static Guid ReportJob { get; } = new("01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11");

    public static FakeSystem Empty() => new()
    {
        Now = Now,
        Snapshot = new QueueSnapshot
        {
            TakenAt = Now,
            Queues = [],
            Failed = new Count(0),
            Cancelled = new Count(0),
            Stored = new Count(0, CountPrecision.About),
            LastHour = new(),
            LastDay = new(),
        },
    };

    public static FakeSystem Open(Texts? texts = null)
    {
        var system = new FakeSystem { Now = Now };
        ShopEntries.Fill(system, texts ?? Texts.Plain);
        ShopQueues.Fill(system, texts ?? Texts.Plain);
        ShopNodes.Fill(system, texts ?? Texts.Plain);
        ShopJobs.Fill(system, texts ?? Texts.Plain);
        ShopEvents.Fill(system, texts ?? Texts.Plain);
        return system;
    }

    /// <summary>The same shop after years: ten million entries, hundreds of queues' worth of text, fifty nodes.</summary>
    public static FakeSystem Huge()
    {
        var system = Open(Texts.Long);
        ShopQueues.Grow(system);
        ShopNodes.Grow(system);
        return system;
    }
}
