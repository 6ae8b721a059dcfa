using System.Globalization;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The entries of the shop, with the life of each.</summary>
internal static partial class ShopEntries
{
    /// <summary>The first entry of the last 18 minutes. What is older waits for its time, or for its queue.</summary>
    private const long First = 4_060;

    private const long CrashLoop = 4_080;
    private const long Retried = 4_149;

    private static readonly string[] Kinds = ["mail.send", "order.confirm", "thumbnail", "stock.sync", "payment.capture"];
    private static readonly HashSet<long> FailedIds = [.. Failures()];

    public static void Fill(FakeSystem system, Texts texts)
    {
        FillWaiting(system, texts);
        for (var id = First; id < 4_200; id++)
        {
            system.Lives.Add(id switch
            {
                Shop.CrashedEntry => Crashed(system, texts),
                4_124 or 4_126 => Beside(system, texts, id),
                Retried => RetriedByHand(system, texts),
                Shop.RunningEntry => Report(system, texts),
                >= 4_177 and < Shop.WaitingEntry => Running(system, texts, id),
                _ when FailedIds.Contains(id) => Failed(system, texts, id),
                >= 4_197 => Waiting(system, texts, id, Kinds[id % 2 == 0 ? 1 : 3], system.Now.AddSeconds(-(4_200 - id) * 0.28)),
                >= Shop.WaitingEntry => Waiting(system, texts, id, Kinds[id % 2], system.Now.AddMinutes(1 + (id % 50))),
                _ when id % 31 == 5 => Cancelled(system, texts, id),
                _ => Completed(system, texts, id),
            });
        }

        system.StepResult = Json(texts, "invoice", "INV-2026-4127");
        system.Checkpoint = Json(texts, "page", "17");
        system.Log.AddRange(
        [
            new RunLogLine(
                9_041, system.Now.AddSeconds(-553.4), LogLevel.Information, "Shop.Orders", texts.Of("Order 88121: 3 items, 148.20 EUR")),
            new RunLogLine(
                9_041, system.Now.AddSeconds(-552.6), LogLevel.Warning, "Shop.Orders", texts.Of("Stock of SKU 2210 is low (4 left)")),
            new RunLogLine(
                9_044, system.Now.AddSeconds(-547.6), LogLevel.Information, "Shop.Orders", texts.Of("Continued after step reserve-stock")),
        ]);
    }

    // 23 of the last 140, in the order of their ids.
    private static IEnumerable<long> Failures()
        => Enumerable.Range(4_060, 140).Select(static id => (long)id).Where(
            static id => (id % 6 == 0 && id is not (4_182 or Shop.WaitingEntry)) || id is 4_063 or 4_083);

    private static void FillWaiting(FakeSystem system, Texts texts)
    {
        var id = First - 301;
        Add(214, "mail.send", static index => TimeSpan.FromSeconds(95 + (index * 11)));
        Add(31, "order.confirm", static index => TimeSpan.FromMinutes(4 + index));
        Add(4, "payment.capture", static index => TimeSpan.FromMinutes(9 + index));
        Add(2, "report.monthly", static index => TimeSpan.FromHours(9 + index));
        Add(41, "report.monthly", static index => TimeSpan.FromSeconds(-384 + (index * 9)));
        Add(3, "mail.digest", static index => TimeSpan.FromSeconds(-40 + (index * 3)));
        Add(6, "order.confirm", static index => TimeSpan.FromMilliseconds(-800 + (index * 90)));

        void Add(int count, string kind, Func<int, TimeSpan> due)
        {
            for (var index = 0; index < count; index++)
            {
                system.Lives.Add(Waiting(system, texts, id++, kind, system.Now + due(index)));
            }
        }
    }

    private static QueueEntry Entry(FakeSystem system, Texts texts, long id, string? kind = null) => new()
    {
        Id = id,
        Kind = texts.Of(kind ?? Kinds[id % Kinds.Length]),
        Queue = texts.Of(QueueOf(kind ?? Kinds[id % Kinds.Length])),
        Priority = 5,
        Args = Json(texts, "order", (84_000 + id).ToString(CultureInfo.InvariantCulture)),
        State = EntryState.Waiting,
        Attempt = 0,
        MaxAttempts = 10,
        Crashes = 0,
        CreatedAt = Stored(system, id),
        UniqueKey = texts.Of($"order-{84_000 + id}"),
        Metadata = new Dictionary<string, string> { [texts.Of("tenant")] = texts.Of("acme"), [texts.Of("region")] = texts.Of("eu") },
    };

    private static string QueueOf(string kind) => kind switch
    {
        "mail.send" or "mail.digest" => "mail",
        "payment.capture" => "payments",
        "report.monthly" => "reports",
        "thumbnail" => "thumbnails",
        _ => "default",
    };

    // So that the crashed entry was stored when its life begins.
    private static DateTimeOffset Stored(FakeSystem system, long id)
        => system.Now.AddSeconds(-(4_200 - id) * 7.59).AddMilliseconds(-(id % 7) * 113);

    private static EntryLife Waiting(FakeSystem system, Texts texts, long id, string kind, DateTimeOffset due)
        => Life(system, Entry(system, texts, id, kind) with { RunAt = due });

    // Seven on the first node, three on the second one with the report, and two on the node that is silent.
    private static EntryLife Running(FakeSystem system, Texts texts, long id)
    {
        var kind = (id % 5) switch { 0 => "mail.send", 4 => "payment.capture", _ => "order.confirm" };
        var node = id >= 4_186 ? "shop-batch-1" : kind == "payment.capture" ? "shop-web-2" : "shop-web-1";
        var started = system.Now.AddSeconds(id >= 4_186 ? -13.2 : -(4_188 - id) * 0.31);
        return Life(system, Entry(system, texts, id, kind) with
        {
            State = EntryState.Running,
            Attempt = 1,
            StartedAt = started,
            CreatedAt = Stored(system, id),
            Node = texts.Of(node),
        }) with
        {
            Claim = new EntryClaim
            {
                Fence = id * 2,
                Node = texts.Of(node),
                NodeId = Guid.Empty,
                ClaimedAt = started,
                Entries = 1,
            },
        };
    }

    private static EntryLife Life(FakeSystem system, QueueEntry entry)
        => new() { Entry = entry, ReadAt = system.Now, Runs = [], Steps = [], Events = [], HoldsUniqueKey = entry.EndedAt is null };

    private static string Json(Texts texts, string name, string value)
        => $$"""{"{{Escape(texts.Of(name))}}":"{{Escape(texts.Of(value))}}","customer":{"name":"{{Escape(
            texts.Of("Ada Lovelace"))}}","vip":true},"items":[2210,2214],"total":148.2}""";

    private static string Escape(string text) => System.Text.Encodings.Web.JavaScriptEncoder.Default.Encode(text);
}
