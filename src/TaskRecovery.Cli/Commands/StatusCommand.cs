using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>status</c>: the whole system on one screen.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public static Command Create(CommandFrame frame)
    {
        var watch =
            new Option<bool>("--watch") { Description = "Show it again every two seconds, until Ctrl-C. With JSON, each time is a line." };
        var interval = new Option<string?>("--interval") { Description = "The time between two, such as 10s. Default: 2s." };
        var command = new Command("status", "Shows the queues, and what happened in the last hour and day.") { watch, interval };
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var time = Values.Wait("--interval", call.Get(interval)) ?? Interval;
            if (!call.Get(watch))
            {
                await ShowAsync(call, cancellationToken).ConfigureAwait(false);
                return ExitCodes.Done;
            }

            if (call.Format == OutputFormat.Json)
            {
                throw CommandException.Usage("--watch writes one value after the other: use --jsonl instead of --json.");
            }

            return await Repeat.RunAsync(
                call,
                time,
                token =>
                {
                    call.Printer.ClearScreen();
                    return ShowAsync(call, token);
                },
                cancellationToken).ConfigureAwait(false);
        });
    }

    /// <summary>The table of what happened, which <c>top</c> shows too.</summary>
    public static TextTable TotalsOf(QueueSnapshot snapshot)
        => new TextTable("period", "enqueued", "completed", "failed", "cancelled", "retried", "lost", "run time")
            .Add(Row("last hour", snapshot.LastHour))
            .Add(Row("last day", snapshot.LastDay));

    /// <summary>The first line.</summary>
    public static string HeaderOf(string where, QueueSnapshot snapshot)
        => $"{where} at {Format.Time(snapshot.TakenAt)}: {snapshot.Stored} stored, {snapshot.Failed} "
            + $"failed, {snapshot.Cancelled} cancelled";

    private static async Task ShowAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var snapshot = await call.Store.Monitor.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(snapshot);
            return;
        }

        call.Printer.Line(HeaderOf(call.Store.Where, snapshot));
        var (queues, others) = QueuesCommand.BusiestOf(snapshot.Queues);
        call.Printer.Table(queues);
        if (others is not null)
        {
            call.Printer.Line(others);
        }

        call.Printer.Table(TotalsOf(snapshot));
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
