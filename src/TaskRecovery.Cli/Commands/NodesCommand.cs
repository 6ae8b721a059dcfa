using System.CommandLine;
using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>nodes</c>: the nodes, living ones first.</summary>
internal static class NodesCommand
{
    public static Command Create(CommandFrame frame)
        => frame.Reads(new Command("nodes", "Lists the nodes: what they serve, their heartbeats, and what they hold."), RunAsync);

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var nodes = await call.Store.Monitor.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            call.Json(nodes, nodes);
            return ExitCodes.Done;
        }

        var table = new TextTable("node", "state", "heartbeat", "entries", "started", "machine", "process", "version", "queues", "death");
        foreach (var node in nodes)
        {
            table.Add(
                node.Name,
                node.State.ToString(),
                Format.Duration(node.HeartbeatAge),
                Format.Number(node.Entries),
                Format.Time(node.StartedAt),
                node.Machine,
                Format.Number(node.ProcessId),
                Format.Text(node.ApplicationVersion ?? node.LibraryVersion),
                Format.Text(string.Join(',', node.Queues.Select(
                    static queue => string.Create(CultureInfo.InvariantCulture, $"{queue.Name}:{queue.Concurrency}")))),
                DeathOf(node));
        }

        call.Printer.Table(table);
        return ExitCodes.Done;
    }

    private static string DeathOf(NodeSummary node)
    {
        if (node.DeadAt is not { } time)
        {
            return Format.Text(null);
        }

        var by = node.DeclaredBy is { } peer ? $" by {peer}" : "";
        return $"{Format.Time(time)} {node.Proof ?? DeathProof.Unknown}{by}";
    }
}
