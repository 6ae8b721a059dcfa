namespace TaskRecovery.WebSample;

/// <summary>What happened before the first customer came, so that each page of the dashboard has something to show. It happens once for
/// each store.</summary>
internal sealed class Opening(IJobQueue queue, IQueueOperator operations) : BackgroundService
{
    public const string Newsletter = "newsletter";

    private const int Letters = 24;

    /// <summary>An order that fails at once, a batch of letters that an operator cancels, and a queue that an operator pauses.</summary>
    public static async Task PrepareAsync(IJobQueue queue, IQueueOperator operations, CancellationToken cancellationToken)
    {
        await queue.EnqueueAsync(
            new ConfirmOrder(1, "first@example.org", 0), new EnqueueOptions { UniqueKey = "order-1" }, cancellationToken);
        await SendAsync(queue, "spring", TimeSpan.FromHours(6), cancellationToken);
        await CancelAsync(operations, "spring", cancellationToken);

        await operations.PauseAsync(
            PauseTarget.Queue(Newsletter), new AuditInfo("grace@example.org", "the template is not approved yet") { Tool = "shop" },
            cancellationToken: cancellationToken);
        await SendAsync(queue, "summer", TimeSpan.Zero, cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if ((await operations.ListOperationsAsync(new OperationQuery { Limit = 1 }, stoppingToken)).Operations.Count == 0)
            {
                await PrepareAsync(queue, operations, stoppingToken);
            }
        }
        catch (StoreUnavailableException)
        {
            // The shop opens without it.
        }
    }

    private static async Task SendAsync(IJobQueue queue, string campaign, TimeSpan after, CancellationToken cancellationToken)
    {
        for (var reader = 1; reader <= Letters; reader++)
        {
            await queue.EnqueueAsync(
                new SendMail($"reader-{reader}@example.org", $"Our {campaign} offers"),
                new EnqueueOptions
                {
                    Queue = Newsletter,
                    RunAfter = after,
                    Metadata = new Dictionary<string, string> { ["campaign"] = campaign },
                },
                cancellationToken);
        }
    }

    private static async Task CancelAsync(IQueueOperator operations, string campaign, CancellationToken cancellationToken)
    {
        var audit = new AuditInfo("ada@example.org", "wrong prices") { Tool = "shop" };
        var request = new BulkRequest
        {
            Action = BulkAction.Cancel,
            Query = new EntryQuery { Queue = Newsletter, Metadata = new("campaign", campaign) },
        };
        var preview = await operations.PreviewAsync(request, audit, cancellationToken);
        await operations.StartAsync(preview.OperationId, audit, cancellationToken);
    }
}
