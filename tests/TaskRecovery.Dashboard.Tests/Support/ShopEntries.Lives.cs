namespace TaskRecovery.Dashboard.Tests.Support;

/// <content>The lives of those that have run.</content>
internal static partial class ShopEntries
{
    private const string Error = "System.Net.Http.HttpRequestException: The gateway answered 502 (Bad Gateway)\n   at "
        + "Shop.Payments.Gateway.CaptureAsync(Order order)\n   at Shop.Payments.CaptureWorker.WorkAsync(WorkContext`1 context)";

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
            Node = texts.Of("shop-web-1"),
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
        // Without the crash loop, in the order of their ids: every third one is a mail, three are the stock, the others are payments.
        var index = FailedIds.Order().Where(static other => other != CrashLoop).ToList().IndexOf(id);
        var (kind, reason) = id == CrashLoop ? ("thumbnail", EndReasons.CrashLoop)
            : index % 3 == 1 ? ("mail.send", EndReasons.AttemptsExhausted)
            : index is 3 or 9 or 15 ? ("stock.sync", EndReasons.FailedForGood)
            : ("payment.capture", EndReasons.AttemptsExhausted);
        var entry = Entry(system, texts, id, kind);
        var attempts = reason == EndReasons.AttemptsExhausted ? 4 : 1;
        var runs = Enumerable.Range(1, attempts).Select(attempt =>
        {
            var started = entry.CreatedAt.AddSeconds(attempt * 2);
            return new EntryRun
            {
                Fence = (id * 4) + attempt,
                End = attempt == attempts ? EntryRunEnd.Failed : EntryRunEnd.Retried,
                StartedAt = started,
                EndedAt = started.AddMilliseconds(1_420),
                Node = texts.Of("shop-web-1"),
                Attempt = attempt,
                IsFinal = attempt == attempts,
                Reason = attempt == attempts ? texts.Of(reason) : null,
                Error = id == CrashLoop ? null : texts.Of(Error),
            };
        }).ToList();
        return Life(system, entry with
        {
            State = EntryState.Failed,
            Attempt = attempts,
            MaxAttempts = 4,
            StartedAt = runs[^1].StartedAt,
            EndedAt = runs[^1].EndedAt,
            Node = texts.Of("shop-web-1"),
            Reason = texts.Of(reason),
            Error = texts.Of(Error),
        }) with
        {
            Runs = runs,
        };
    }

    // An operator retried it, and then it completed.
    private static EntryLife RetriedByHand(FakeSystem system, Texts texts)
    {
        var entry = Entry(system, texts, Retried);
        var (first, again) = (entry.CreatedAt.AddSeconds(1), system.Now.AddMinutes(-2.39));
        return Life(system, entry with
        {
            State = EntryState.Completed,
            Attempt = 1,
            StartedAt = again,
            EndedAt = again.AddMilliseconds(610),
            Node = texts.Of("shop-web-2"),
            Result = Json(texts, "captured", "true"),
        }) with
        {
            Runs =
            [
                new EntryRun { Fence = Retried * 2, End = EntryRunEnd.Failed, StartedAt = first, EndedAt = first.AddSeconds(2),
                    Node = texts.Of("shop-web-2"), Attempt = 1, Error = texts.Of(Error) },
                new EntryRun { Fence = (Retried * 2) + 1, End = EntryRunEnd.Completed, StartedAt = again,
                    EndedAt = again.AddMilliseconds(610), Node = texts.Of("shop-web-2"), Attempt = 1, IsFinal = true },
            ],
        };
    }

    /// <summary>It ran beside the entry whose story is told, on the node that was killed.</summary>
    private static EntryLife Beside(FakeSystem system, Texts texts, long id)
    {
        var entry = Entry(system, texts, id, "order.confirm");
        var (started, died) = (entry.CreatedAt.AddMilliseconds(20), system.Now.AddSeconds(-547.72));
        return Life(system, entry with
        {
            State = EntryState.Completed,
            Attempt = 1,
            Crashes = 1,
            StartedAt = died.AddMilliseconds(30),
            EndedAt = died.AddSeconds(2.8),
            Node = texts.Of("shop-web-1"),
            Result = Json(texts, "confirmation", $"C-{id}"),
        }) with
        {
            Runs =
            [
                new EntryRun { Fence = 9_030 + (id % 7), End = EntryRunEnd.Lost, StartedAt = started, EndedAt = died,
                    Node = texts.Of("shop-web-2"), Crashes = 1 },
                new EntryRun { Fence = 9_050 + (id % 7), End = EntryRunEnd.Completed, StartedAt = died.AddMilliseconds(30),
                    EndedAt = died.AddSeconds(2.8), Node = texts.Of("shop-web-1"), Attempt = 1, Crashes = 1, IsFinal = true },
            ],
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

    private static EntryLife Report(FakeSystem system, Texts texts)
        => Life(system, Entry(system, texts, Shop.RunningEntry, "report.monthly") with
        {
            State = EntryState.Running,
            Queue = texts.Of("default"),
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
}
