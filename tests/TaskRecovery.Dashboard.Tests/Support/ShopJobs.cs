namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The jobs of the shop and their runs, and the bulk operations.</summary>
internal static class ShopJobs
{
    public static void Fill(FakeSystem system, Texts texts)
    {
        Add(
            system, texts, "stock-sync", "stock.sync", TimeSpan.FromMinutes(5), JobState.Active,
            static index => index == 6 ? TaskState.Failed : TaskState.Completed);
        Add(
            system, texts, "monthly-report", "report.monthly", TimeSpan.FromDays(1), JobState.Active,
            static index => index == 0 ? TaskState.Running : TaskState.Completed, Shop.ReportJob);
        Add(
            system, texts, "mail-digest", "mail.digest", TimeSpan.FromHours(1), JobState.Paused,
            static index => index % 4 == 2 ? TaskState.Cancelled : TaskState.Completed);
        Add(system, texts, "import-2025", "stock.import", null, JobState.Ended, static _ => TaskState.Completed);
        system.Operations.AddRange(
        [
            Operation(system, texts, 7, BulkAction.Retry, OperationState.Prepared, 19, 0),
            Operation(system, texts, 6, BulkAction.Cancel, OperationState.Running, 214, 0) with
            {
                Audit = new AuditInfo(texts.Of("grace@example.org"), texts.Of("wrong template")) { Tool = "cli" },
            },
            Operation(system, texts, 5, BulkAction.Retry, OperationState.Ended, 412, 409) with { Refused = 3 },
            Operation(system, texts, 4, BulkAction.Undo, OperationState.Ended, 500, 500) with
            {
                Undoes = 3, Audit = new AuditInfo(texts.Of("ada"), texts.Of("they were right")) { Tool = "dashboard" },
            },
            Operation(system, texts, 3, BulkAction.Cancel, OperationState.Stopped, 1_200, 500) with
            {
                UndoneBy = 4, Audit = new AuditInfo(texts.Of("ada"), texts.Of("wrong prices")) { Tool = "dashboard" },
            },
        ]);
    }

    private static void Add(
        FakeSystem system, Texts texts, string name, string kind, TimeSpan? interval,
        JobState state, Func<int, TaskState> outcome, Guid? id = null)
    {
        var job = new Job
        {
            Id = id ?? new Guid(system.Jobs.Count + 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1),
            Name = texts.Of(name),
            Kind = texts.Of(kind),
            Args = $$"""{"shop":"{{System.Text.Encodings.Web.JavaScriptEncoder.Default.Encode(texts.Of("eu"))}}"}""",
            Schedule = interval is { } every ? Schedule.Every(every) : Schedule.Once(system.Now.AddDays(-20)),
            State = state,
            Queue = texts.Of("default"),
            MaxAttempts = 10,
            NextRunAt = state == JobState.Active ? system.Now.AddSeconds(-64) + interval : null,
            DeclaredBy = texts.Of("shop"),
            CreatedAt = system.Now.AddDays(-40),
            UpdatedAt = system.Now.AddDays(-3),
        };
        system.Jobs.Add(job);
        for (var index = 0; index < (interval is null ? 1 : 24); index++)
        {
            var due = system.Now - ((index * (interval ?? TimeSpan.FromDays(20))) + TimeSpan.FromSeconds(64));
            var end = outcome(index);
            system.Tasks.Add(new TaskRecord
            {
                Id = new Guid(system.Tasks.Count + 1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1),
                JobId = job.Id,
                EntryId = end == TaskState.Running ? Shop.RunningEntry : 3_700 - system.Tasks.Count,
                State = end,
                DueAt = index == 3 ? null : due,
                Attempt = 1,
                CreatedAt = due,
                StartedAt = due.AddMilliseconds(31),
                EndedAt = end == TaskState.Running ? null : due.AddSeconds(1.4 + index),
                Reason = end == TaskState.Cancelled ? texts.Of(EndReasons.Overlap) : null,
                Node = texts.Of(end == TaskState.Running ? "shop-web-2" : "shop-web-1"),
            });
        }
    }

    private static BulkOperation Operation(
        FakeSystem system, Texts texts, long id, BulkAction action, OperationState state, long expected, long done)
        => new()
        {
            Id = id,
            Action = action,
            State = state,
            Query = new EntryQuery { States = [EntryState.Failed], Reason = EndReasons.AttemptsExhausted },
            Audit = new AuditInfo(texts.Of("ada"), texts.Of("the gateway is back")) { Tool = "dashboard" },
            CreatedAt = system.Now.AddMinutes(-id * 11),
            StartedAt = state == OperationState.Prepared ? null : system.Now.AddMinutes(-id * 11),
            EndedAt = state is OperationState.Ended or OperationState.Stopped ? system.Now.AddMinutes(-id * 11).AddSeconds(3.2) : null,
            UpToId = 4_199,
            Expected = new Count(expected),
            Done = done,
            Refused = 0,
        };
}
