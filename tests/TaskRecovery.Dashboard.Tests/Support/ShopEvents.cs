namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The events of the shop.</summary>
internal static class ShopEvents
{
    public static void Fill(FakeSystem system, Texts texts)
    {
        Add(system, 1, 181, QueueEventKind.NodeJoined, node: texts.Of("shop-web-1"), detail: texts.Of("vm-1, process 4001"));
        Add(system, 2, 55, QueueEventKind.OperationStarted, operation: 5, entries: 412, actor: texts.Of("ada"), reason: texts.Of(
            "the gateway is back"));
        Add(system, 3, 54.95, QueueEventKind.OperationEnded, operation: 5, entries: 409);
        Add(system, 4, 15.1, QueueEventKind.CrashLoop, entry: 4_080, subject: texts.Of("thumbnail"), node: texts.Of("shop-web-2"));
        Add(system, 5, 9.129, QueueEventKind.NodeDied, node: texts.Of("shop-web-2"), detail: texts.Of(
            "its lock was free; declared by shop-web-1"));
        Add(system, 6, 9.1287, QueueEventKind.Swept, node: texts.Of("shop-web-2"), entries: 3);
        Add(system, 7, 8.6, QueueEventKind.NodeJoined, node: texts.Of("shop-web-2"), detail: texts.Of("vm-2, process 4002"));
        Add(system, 8, 7, QueueEventKind.Paused, subject: texts.Of("queue reports"), actor: texts.Of("grace@example.org"), reason: texts.Of(
            "month end, wait for the ledger"));
        Add(
            system, 9, 2.4, QueueEventKind.EntryRetried, entry: 4_149,
            subject: texts.Of("payment.capture"), actor: texts.Of("ada"));
        Add(system, 10, 1.2, QueueEventKind.Refused, detail: texts.Of("cancel entry 4188"), actor: texts.Of("eve"));
    }

    private static void Add(
        FakeSystem system, long id, double minutesAgo, QueueEventKind kind, string? node = null,
        string? detail = null, long? entry = null, string? subject = null, long? operation = null,
        long? entries = null, string? actor = null, string? reason = null) => system.Events.Add(new QueueEvent
        {
            Id = id,
            At = system.Now.AddMinutes(-minutesAgo),
            Kind = kind,
            Node = node,
            Detail = detail,
            EntryId = entry,
            Subject = subject,
            OperationId = operation,
            Entries = entries,
            Actor = actor,
            Reason = reason,
            Tool = actor is null ? null : "dashboard",
        });
}
