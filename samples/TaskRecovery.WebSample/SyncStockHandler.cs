namespace TaskRecovery.WebSample;

/// <summary>Reads the stock of a warehouse. It remembers how far it got, so that a crash does not begin again.</summary>
internal sealed class SyncStockHandler(Gateway gateway) : ITaskHandler<SyncStock>
{
    private const int Pages = 8;

    public async Task RunAsync(TaskContext<SyncStock> context, CancellationToken cancellationToken)
    {
        for (var page = await context.GetCheckpointAsync<int>(cancellationToken); page < Pages; page++)
        {
            await gateway.CallAsync("The warehouse", 200, 1, cancellationToken);
            await context.SaveCheckpointAsync(page + 1, cancellationToken);
        }

        context.SetResult(new { context.Args.Warehouse, pages = Pages });
    }
}
