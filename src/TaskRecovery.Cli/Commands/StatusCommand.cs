using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>status</c>: the whole system on one screen.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandFrame frame)
        => frame.Reads(new Command("status", "Shows the queues, and what happened in the last hour and day."), RunAsync);

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var snapshot = await call.Store.Monitor.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Printer.Json(snapshot, CliJson.Default.QueueSnapshot);
            return ExitCodes.Done;
        }

        call.Printer.Line($"{call.Store.Where} at {Format.Time(snapshot.TakenAt)}: {snapshot.Stored} stored, {snapshot.Failed} "
            + $"failed, {snapshot.Cancelled} cancelled");
        call.Printer.Table(QueuesCommand.TableOf(snapshot.Queues));
        call.Printer.Table(new TextTable("period", "enqueued", "completed", "failed", "cancelled", "retried", "lost", "run time")
            .Add(Row("last hour", snapshot.LastHour))
            .Add(Row("last day", snapshot.LastDay)));
        return ExitCodes.Done;
    }

    private static string[] Row(string period, EntryTotals totals) =>
    [
        period,
        Format.Number(totals.Enqueued),
        Format.Number(totals.Completed),
        Format.Number(totals.Failed),
        Format.Number(totals.Cancelled),
        Format.Number(totals.Retried),
        Format.Number(totals.Lost),
        Format.Duration(totals.RunTime),
    ];
}
