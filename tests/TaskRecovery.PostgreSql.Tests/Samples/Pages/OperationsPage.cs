using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.PostgreSql.Tests.Samples.Pages;

/// <summary>The code of docs/operations.md.</summary>
public static class OperationsPage
{
    public static async Task OpenAsync(string connectionString, Func<IQueueMonitor, IQueueOperator, Task> use)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery().UsePostgreSql(connectionString);
        await using var provider = services.BuildServiceProvider();

        var monitor = provider.GetRequiredService<IQueueMonitor>();
        var operate = provider.GetRequiredService<IQueueOperator>();
        await use(monitor, operate);
    }

    public static async Task ShowAsync(IQueueMonitor monitor)
    {
        var snapshot = await monitor.GetSnapshotAsync();
        foreach (var queue in snapshot.Queues)
        {
            Console.WriteLine($"{queue.Name}: {queue.Due} due, {queue.Later} later, {queue.Running} running on {queue.Nodes} nodes");
        }

        foreach (var kind in await monitor.ListKindsAsync())
        {
            if (kind.Nodes == 0 && kind.Waiting.Value > 0)
            {
                Console.WriteLine($"{kind.Waiting} entries of {kind.Name} wait, and no living node has a worker for it");
            }
        }
    }

    public static async Task<EntrySummaryPage> FindAsync(IQueueMonitor monitor)
    {
        var query = new EntryQuery { States = [EntryState.Failed], Kind = "mail.*", EndedFrom = DateTimeOffset.UtcNow.AddHours(-1) };
        var page = await monitor.ListAsync(query);
        if (!page.IsComplete)
        {
            Console.WriteLine($"searched back to {page.SearchedBackTo:t}");
            page = await monitor.ListAsync(query with { Before = page.NextBefore });
        }

        return page;
    }

    public static async Task ReportAsync(WorkContext context, int done, int total, CancellationToken cancellationToken)
    {
        await context.ReportProgressAsync(done, total, "rendering page 7", cancellationToken);
    }

    public static async Task ActAsync(IQueueOperator operate, long entryId, DateTimeOffset tonight)
    {
        var audit = new AuditInfo("anna", "the mail server is back") { Tool = "console" };

        await operate.RetryAsync(entryId, audit);
        await operate.RetryAsync(entryId, audit, new RetryOptions { From = RetryFrom.Start, RunAt = tonight });
        await operate.CancelAsync(entryId, audit);
        await operate.PauseAsync(PauseTarget.Queue("mail"), audit, until: (await operate.GetTimeAsync()).AddHours(2));
        await operate.ResumeAsync(PauseTarget.Queue("mail"), audit);
    }

    public static async Task<OperationAnswer> RetryAllAsync(IQueueOperator operate, EntryQuery query, AuditInfo audit)
    {
        var preview = await operate.PreviewAsync(new BulkRequest { Action = BulkAction.Retry, Query = query }, audit);
        Console.WriteLine($"{preview.Entries} entries, for example {string.Join(", ", preview.Sample.Select(entry => entry.Id))}");

        var started = await operate.StartAsync(preview.OperationId, audit);

        while (await operate.ContinueAsync(preview.OperationId) is { State: OperationState.Running } operation)
        {
            Console.WriteLine($"{operation.Done} of {operation.Expected}, {operation.Refused} refused");
        }

        return started;
    }
}
