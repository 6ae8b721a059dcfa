using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>events</c>: what happened to nodes, in recovery, and by operators.</summary>
internal static class EventsCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public static Command Create(CommandFrame frame)
    {
        var kinds = new Option<string[]>("--kind") { Description = "What happened, such as NodeDied or Paused. May be repeated." };
        var entry = new Option<string?>("--entry") { Description = "The id of the entry." };
        var node = new Option<string?>("--node") { Description = "The name of the node, or its id if it has no name." };
        var actor = new Option<string?>("--by") { Description = "Who did it." };
        var operation = new Option<long?>("--operation") { Description = "The id of the bulk operation." };
        var limit = new Option<int?>("--limit")
        {
            Description = "The most events to list. Default: 100, at most 1000. With --follow, how many older ones are written first; "
                + "--after writes all.",
        };
        var before = new Option<long?>("--before") { Description = "Only events with a smaller id, to look further." };
        var after = new Option<long?>("--after")
        {
            Description = "Only events with a greater id. An event can appear after one with a greater id: to continue a list with "
                + "--follow, go back by 1000, and skip what was handled.",
        };
        var maxExamined = new Option<int?>("--max-examined") { Description = "The most events to examine. Default: 100000." };
        var follow =
            new Option<bool>("--follow", "-f") { Description = "Write them oldest first, and new ones as they happen, until Ctrl-C." };
        var interval =
            new Option<string?>("--interval") { Description = "With --follow, the time between two reads, such as 10s. Default: 1s." };
        var command = new Command("events", "Lists events, newest first: nodes, recovery, and every action of an operator.")
        {
            kinds, entry, node, actor, operation, limit, before, after, maxExamined, follow, interval,
        };
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var query = new EventQuery
            {
                Kinds = call.Get(kinds) is { Length: > 0 } wanted
                    ? [.. wanted.Select(static kind => Values.Name<QueueEventKind>("--kind", kind))]
                    : null,
                EntryId = call.Get(entry) is { } id ? Values.Id(id) : null,
                Node = call.Get(node),
                Actor = call.Get(actor),
                OperationId = call.Get(operation),
                Before = call.Get(before),
                After = call.Get(after),
                Limit = call.Get(limit) ?? new EventQuery().Limit,
                MaxExamined = call.Get(maxExamined) ?? new EventQuery().MaxExamined,
            };
            if (call.Get(follow))
            {
                return await new EventFollower(call, query, call.Store.Monitor.ListEventsAsync).RunAsync(
                    Values.Wait("--interval", call.Get(interval)) ?? Interval, cancellationToken).ConfigureAwait(false);
            }

            Show(call, await call.Store.Monitor.ListEventsAsync(query, cancellationToken).ConfigureAwait(false));
            return ExitCodes.Done;
        });
    }

    /// <summary>The table of events, which <c>show</c> prints too.</summary>
    public static TextTable TableOf(IEnumerable<QueueEvent> events)
    {
        var table = new TextTable("id", "at", "event", "about", "by", "reason", "detail");
        foreach (var one in events)
        {
            table.Add(
                Format.Number(one.Id),
                Format.Time(one.At),
                one.Kind.ToString(),
                AboutOf(one),
                ByOf(one),
                Format.Text(one.Reason),
                Format.Text(one.Detail));
        }

        return table;
    }

    /// <summary>One event as a line.</summary>
    public static string LineOf(QueueEvent one)
    {
        string[] parts = [
            Format.Time(one.At), one.Kind.ToString(), AboutOf(one), ByOf(one), Format.Text(one.Reason), Format.Text(one.Detail)];
        return string.Join("  ", parts.Where(static part => part != Format.Text(null)));
    }

    private static string ByOf(QueueEvent one)
        => one.Actor is null ? Format.Text(one.Node) : $"{one.Actor}{(one.Tool is { } tool ? $" ({tool})" : "")}";

    private static string AboutOf(QueueEvent one)
    {
        string?[] parts =
        [
            one.EntryId is { } id ? $"entry {Format.Number(id)}" : null,
            one.OperationId is { } operation ? $"operation {Format.Number(operation)}" : null,
            one.Subject,

            // Without an actor, the column of the actor has the node.
            one.Actor is not null && one.Node is { } node ? $"node {node}" : null,
            one.Entries is { } count ? $"{Format.Number(count)} {(IsOfTasks(one) ? "tasks" : "entries")}" : null,
        ];
        return Format.Text(string.Join(", ", parts.Where(static part => part is not null)));
    }

    private static bool IsOfTasks(QueueEvent one) => one is { Kind: QueueEventKind.WorkRecovered, Node: null };

    private static void Show(CommandCall call, EventPage page)
    {
        if (call.AsJson)
        {
            call.Json(page, page.Events);
        }
        else if (page.Events.Count > 0)
        {
            call.Printer.Table(TableOf(page.Events));
        }

        if (call.Format != OutputFormat.Json)
        {
            var searched = page.SearchedBackTo is { } time ? $"Searched back to {Format.Time(time)}. " : "";
            call.Printer.Note(
                page.NextBefore is { } next ? $"{searched}Look further with --before {Format.Number(next)}." : "There are no others.");
        }
    }
}
