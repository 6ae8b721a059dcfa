using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>queues</c>: all queues.</summary>
internal static class QueuesCommand
{
    public static Command Create(CommandFrame frame) => frame.Reads(new Command("queues", "Lists the queues."), RunAsync);

    /// <summary>The table of queues, which <c>status</c> shows too.</summary>
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
