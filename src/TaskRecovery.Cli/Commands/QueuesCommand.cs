using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>queues</c>: all queues.</summary>
internal static class QueuesCommand
{
    private const int MostOnScreen = 10;

    public static Command Create(CommandFrame frame) => frame.Reads(new Command("queues", "Lists the queues."), RunAsync);

    /// <summary>The table of queues.</summary>
    public static TextTable TableOf(IEnumerable<QueueSummary> queues)
    {
        var table = new TextTable("queue", "due", "oldest", "later", "running", "nodes", "concurrency", "pause");
        foreach (var queue in queues)
        {
            table.Add(
                queue.Name,
                queue.Due.ToString(),
                Format.Duration(queue.OldestDue),
                queue.Later.ToString(),
                queue.Running.ToString(),
                Format.Number(queue.Nodes),
                Format.Number(queue.Concurrency),
                Format.Pause(queue.Pause));
        }

        return table;
    }

    /// <summary>What one screen shows of the queues: paused ones, then those with the most entries that are due, and how many others there
    /// are.</summary>
    public static (TextTable Table, string? Others) BusiestOf(IReadOnlyList<QueueSummary> queues)
    {
        if (queues.Count <= MostOnScreen)
        {
            return (TableOf(queues), null);
        }

        // A pause that was forgotten must not be hidden by the traffic of the others.
        var busiest = queues.OrderByDescending(static queue => queue.Pause is not null)
            .ThenByDescending(static queue => queue.Due.Value).ThenByDescending(static queue => queue.Running.Value)
            .ThenByDescending(static queue => queue.Later.Value).ThenBy(static queue => queue.Name, StringComparer.Ordinal)
            .Take(MostOnScreen);
        return (TableOf(busiest), $"and {Format.Number(queues.Count - MostOnScreen)} more: taskrecovery queues");
    }

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var queues = await call.Store.Monitor.ListQueuesAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(queues, queues);
        }
        else
        {
            call.Printer.Table(TableOf(queues));
        }

        return ExitCodes.Done;
    }
}
