namespace TaskRecovery.WebSample;

/// <summary>Writes a long report and says how far it is. It stores its place every ten pages, so that a crash costs ten pages at
/// most.</summary>
internal sealed partial class WriteReportHandler(Gateway gateway, ILogger<WriteReportHandler> logger) : ITaskHandler<WriteReport>
{
    public async Task RunAsync(TaskContext<WriteReport> context, CancellationToken cancellationToken)
    {
        var done = await context.GetCheckpointAsync<int>(cancellationToken);
        LogBegin(logger, context.Args.Pages, done);
        while (done < context.Args.Pages)
        {
            await gateway.CallAsync("The ledger", 100, 0, cancellationToken);
            done++;
            if (done % 10 == 0)
            {
                await context.SaveCheckpointAsync(done, cancellationToken);
                await context.ReportProgressAsync(done, context.Args.Pages, $"Adding up orders, page {done}", cancellationToken);
            }

            if (done % 100 == 0)
            {
                LogPage(logger, done, context.Args.Pages);
            }
        }

        context.SetResult(new { pages = done });
    }

    [LoggerMessage(LogLevel.Information, "Writing {Pages} pages, beginning after page {Done}")]
    private static partial void LogBegin(ILogger logger, int pages, int done);

    [LoggerMessage(LogLevel.Information, "Page {Done} of {Pages} is written")]
    private static partial void LogPage(ILogger logger, int done, int pages);
}
