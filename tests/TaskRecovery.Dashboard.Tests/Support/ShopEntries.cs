using System.Globalization;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The entries of the shop, with the life of each.</summary>
internal static class ShopEntries
{
    private const string Error = "System.Net.Http.HttpRequestException: The gateway answered 502 (Bad Gateway)\n   at "
        + "Shop.Payments.Gateway.CaptureAsync(Order order)\n   at Shop.Payments.CaptureWorker.WorkAsync(WorkContext`1 context)";

    private static readonly string[] Kinds = ["mail.send", "order.confirm", "thumbnail", "stock.sync", "payment.capture"];

    public static void Fill(FakeSystem system, Texts texts)
    {
        for (var id = 4_060L; id < 4_200; id++)
        {
            system.Lives.Add(id switch
            {
                Shop.CrashedEntry => Crashed(system, texts),
                Shop.RunningEntry => Running(system, texts),
                _ when id % 22 == 12 => Failed(system, texts, id),
                >= Shop.WaitingEntry => Waiting(system, texts, id),
                _ when id % 31 == 5 => Cancelled(system, texts, id),
                _ => Completed(system, texts, id),
            });
        }

        system.StepResult = Json(texts, "invoice", "INV-2026-4127");
        system.Checkpoint = Json(texts, "page", "17");
        system.Log.AddRange(
        [
            new RunLogLine(
                9_041, system.Now.AddSeconds(-41), LogLevel.Information, "Shop.Orders", texts.Of("Order 88121: 3 items, 148.20 EUR")),
            new RunLogLine(
                9_041, system.Now.AddSeconds(-38), LogLevel.Warning, "Shop.Orders", texts.Of("Stock of SKU 2210 is low (4 left)")),
            new RunLogLine(
                9_044, system.Now.AddSeconds(-21), LogLevel.Information, "Shop.Orders", texts.Of("Continued after step reserve-stock")),
        ]);
    }

    private static QueueEntry Entry(FakeSystem system, Texts texts, long id, string? kind = null) => new()
    {
        Id = id,
        Kind = texts.Of(kind ?? Kinds[id % Kinds.Length]),
        Queue = texts.Of(id % 5 == 4 ? "payments" : id % 5 == 0 ? "mail" : "default"),
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

    private static DateTimeOffset Stored(FakeSystem system, long id)
        => system.Now.AddSeconds(-(4_200 - id) * 4.3).AddMilliseconds(-(id % 7) * 113);

    private static EntryLife Waiting(FakeSystem system, Texts texts, long id)
        => Life(system, Entry(system, texts, id) with { RunAt = id % 3 == 0 ? system.Now.AddMinutes(id % 50) : Stored(system, id) });

    private static EntryLife Completed(FakeSystem system, Texts texts, long id)
    {
        var entry = Entry(system, texts, id);
        var started = entry.CreatedAt.AddMilliseconds(8 + (id % 30));
        var ended = started.AddMilliseconds(140 + (id % 11 * 310));
        return Life(system, entry with
        {
            State = EntryState.Completed,
            Attempt = 1,
            StartedAt = started,
            EndedAt = ended,
            Node = texts.Of($"shop-web-{1 + (id % 2)}"),
            Result = Json(texts, "sent", "true"),
        }) with
        {
            Runs = [new EntryRun { Fence = id * 2, End = EntryRunEnd.Completed, StartedAt = started,
                    EndedAt = ended, Node = texts.Of("shop-web-1"), Attempt = 1, IsFinal = true }],
        };
    }

    private static EntryLife Cancelled(FakeSystem system, Texts texts, long id)
        => Life(system, Entry(
            system, texts, id) with
        {
            State = EntryState.Cancelled,
            EndedAt = Stored(system, id).AddMinutes(1),
            Reason = texts.Of(EndReasons.CancelRequested),
        });

    private static EntryLife Failed(FakeSystem system, Texts texts, long id)
    {
        var entry = Entry(system, texts, id, "payment.capture");
        var runs = Enumerable.Range(1, 4).Select(attempt =>
        {
            var started = entry.CreatedAt.AddSeconds(attempt * attempt * 2);
            return new EntryRun
            {
                Fence = (id * 2) + attempt,
                End = attempt == 4 ? EntryRunEnd.Failed : EntryRunEnd.Retried,
                StartedAt = started,
                EndedAt = started.AddMilliseconds(1_420),
                Node = texts.Of("shop-web-2"),
                Attempt = attempt,
                IsFinal = attempt == 4,
                Reason = attempt == 4 ? texts.Of(EndReasons.AttemptsExhausted) : null,
                Error = texts.Of(Error),
            };
        }).ToList();
        return Life(system, entry with
        {
            State = EntryState.Failed,
            Attempt = 4,
            MaxAttempts = 4,
            StartedAt = runs[^1].StartedAt,
            EndedAt = runs[^1].EndedAt,
            Node = texts.Of("shop-web-2"),
            Reason = texts.Of(EndReasons.AttemptsExhausted),
            Error = texts.Of(Error),
        }) with
        {
            Runs = runs,
        };
    }

    /// <summary>The story that the dashboard is made for: its node was killed in a step, another one went on with the next step.</summary>
    private static EntryLife Crashed(FakeSystem system, Texts texts)
    {
        var entry = Entry(system, texts, Shop.CrashedEntry, "order.confirm") with { CreatedAt = system.Now.AddMinutes(-9).AddSeconds(-14) };
        DateTimeOffset At(double seconds) => entry.CreatedAt.AddSeconds(seconds);
        return Life(system, entry with
        {
            State = EntryState.Completed,
            Attempt = 1,
            Crashes = 1,
            StartedAt = At(6.31),
            EndedAt = At(9.87),
            Node = texts.Of("shop-web-1"),
            Result = Json(texts, "confirmation", "C-4127"),
        }) with
        {
            Runs =
            [
                new EntryRun
                {
                    Fence = 9_041, End = EntryRunEnd.Lost, StartedAt = At(0.012),
                    EndedAt = At(6.28), Node = texts.Of("shop-web-2"), Crashes = 1,
                    BlackBox = new BlackBox
                    {
                        Step = texts.Of("charge-card"), ProgressAge = TimeSpan.FromSeconds(1.9),
                        Proof = DeathProof.LockFree, DeclaredBy = texts.Of("shop-web-1"), RanBeside = [4_124, 4_126],
                        Vitals = new NodeVitals { WorkingSetBytes = 986L << 20, MemoryLimitBytes = 1L << 30,
                            CpuPercent = 91, GcPausePercent = 7.4, ThreadPoolQueue = 212, Running = 3 },
                    },
                },
                new EntryRun { Fence = 9_044, End = EntryRunEnd.Completed, StartedAt = At(6.31),
                    EndedAt = At(9.87), Node = texts.Of("shop-web-1"), Attempt = 1, Crashes = 1, IsFinal = true },
            ],
            Steps =
            [
                new EntryStep(texts.Of("check-order"), At(0.41), 9_041, 212),
                new EntryStep(texts.Of("reserve-stock"), At(1.62), 9_041, 1_482),
                new EntryStep(texts.Of("charge-card"), At(8.1), 9_044, 148),
                new EntryStep(texts.Of("send-mail"), At(9.7), 9_044, 64),
            ],
            TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            Checkpoint = new EntryCheckpoint(At(1.63), 9_041, 512),
        };
    }

    private static EntryLife Running(FakeSystem system, Texts texts)
        => Life(system, Entry(system, texts, Shop.RunningEntry, "report.monthly") with
        {
            State = EntryState.Running,
            Attempt = 1,
            StartedAt = system.Now.AddSeconds(-64),
            Node = texts.Of("shop-web-2"),
            CreatedAt = system.Now.AddSeconds(-65),
            Timeout = TimeSpan.FromMinutes(30),
        }) with
        {
            Claim = new EntryClaim
            {
                Fence = 9_102,
                Node = texts.Of("shop-web-2"),
                NodeId = Guid.Empty,
                ClaimedAt = system.Now.AddSeconds(-64),
                Entries = 1,
            },
            Progress = new ReportedProgress(412, 1_200, texts.Of("Adding up orders of November"), system.Now.AddSeconds(-1), 9_102),
            Steps = [new EntryStep(texts.Of("load-orders"), system.Now.AddSeconds(-31), 9_102, 48_210)],
            JobName = texts.Of("monthly-report"),
            Task = new TaskRecord
            {
                Id = Guid.Empty,
                JobId = Shop.ReportJob,
                State = TaskState.Running,
                EntryId = Shop.RunningEntry,
                CreatedAt = system.Now,
            },
        };

    private static EntryLife Life(FakeSystem system, QueueEntry entry)
        => new() { Entry = entry, ReadAt = system.Now, Runs = [], Steps = [], Events = [], HoldsUniqueKey = entry.EndedAt is null };

    private static string Json(Texts texts, string name, string value)
        => $$"""{"{{Escape(texts.Of(name))}}":"{{Escape(texts.Of(value))}}","customer":{"name":"{{Escape(
            texts.Of("Ada Lovelace"))}}","vip":true},"items":[2210,2214],"total":148.2}""";

    private static string Escape(string text) => System.Text.Encodings.Web.JavaScriptEncoder.Default.Encode(text);
}
