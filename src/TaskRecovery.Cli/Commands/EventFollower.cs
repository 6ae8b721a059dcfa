using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Writes events as they happen, oldest first.</summary>
internal sealed class EventFollower(CommandCall call, EventQuery query)
{
    // An event gets its id before its transaction commits, so that a smaller id can appear after a greater one.
    private const int Overlap = 1000;

    private readonly SortedSet<long> _seen = [];
    private long _last;

    private long Oldest => Math.Max(query.After ?? 0, _last - Overlap);

    public async Task<int> RunAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        if (call.Format == OutputFormat.Json)
        {
            throw CommandException.Usage("--follow writes one event after the other: use --jsonl instead of --json.");
        }

        if (query.Before is not null)
        {
            throw CommandException.Usage("--follow and --before exclude each other: use one of them.");
        }

        var first = await call.Store.Monitor.ListEventsAsync(query, cancellationToken).ConfigureAwait(false);
        Write(first.Events.Reverse());
        if (first.NextBefore is { } older)
        {
            await SkipAsync(older, cancellationToken).ConfigureAwait(false);
        }

        return await Repeat.RunAsync(call, interval, WriteNewAsync, cancellationToken).ConfigureAwait(false);
    }

    // Older events within the overlap are not new: the next looks find them too.
    private async Task SkipAsync(long before, CancellationToken cancellationToken)
    {
        long? next = before;
        while (next is { } id)
        {
            var page = await call.Store.Monitor.ListEventsAsync(
                query with { After = Oldest, Before = id, Limit = 1000 }, cancellationToken).ConfigureAwait(false);
            _seen.UnionWith(page.Events.Select(static one => one.Id));
            next = page.NextBefore;
        }
    }

    private async Task WriteNewAsync(CancellationToken cancellationToken)
    {
        var found = new List<QueueEvent>();
        var next = query with { After = Oldest, Limit = 1000 };
        while (true)
        {
            var page = await call.Store.Monitor.ListEventsAsync(next, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Events.Where(one => !_seen.Contains(one.Id)));
            if (page.NextBefore is not { } before)
            {
                break;
            }

            next = next with { Before = before };
        }

        found.Reverse();
        Write(found);
        _seen.RemoveWhere(id => id < _last - Overlap);
    }

    private void Write(IEnumerable<QueueEvent> events)
    {
        foreach (var one in events)
        {
            _seen.Add(one.Id);
            _last = Math.Max(_last, one.Id);
            if (call.AsJson)
            {
                call.Json(one);
            }
            else
            {
                call.Printer.Line(EventsCommand.LineOf(one));
            }
        }
    }
}
