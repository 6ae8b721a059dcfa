using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>Writes events as they happen, oldest first.</summary>
/// <param name="call">The call of the command.</param>
/// <param name="query">Which events.</param>
/// <param name="list">Lists events.</param>
internal sealed class EventFollower(
    CommandCall call, EventQuery query, Func<EventQuery, CancellationToken, ValueTask<EventPage>> list)
{
    // An event gets its id before its transaction commits, so that a smaller id can appear after a greater one.
    private const int Overlap = 1000;

    private const int PageSize = 1000;

    // The ids of one part. The least are those of a read that is in time, which begins with the overlap. Where few events match, a part
    // is longer.
    private const int LeastIds = 2 * Overlap;
    private const int MostIds = 100_000;

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

        // A reader that continues after an event is given all later ones, however many there are.
        if (query.After is null)
        {
            await WriteFirstPageAsync(cancellationToken).ConfigureAwait(false);
        }

        return await Repeat.RunAsync(call, interval, WriteNewAsync, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteFirstPageAsync(CancellationToken cancellationToken)
    {
        var newest = await FindNewestAsync(cancellationToken).ConfigureAwait(false);
        var first = await list(query, cancellationToken).ConfigureAwait(false);
        Write(first.Events.Reverse());
        _last = Math.Max(_last, newest);
        if (first.NextBefore is { } older)
        {
            await SkipAsync(older, cancellationToken).ConfigureAwait(false);
        }
    }

    // The newest event of any kind, so that a read does not examine everything since the last event that the query selects. It is read
    // before the others: what is stored meanwhile is above it.
    private async Task<long> FindNewestAsync(CancellationToken cancellationToken)
        => (await list(new EventQuery { Limit = 1 }, cancellationToken).ConfigureAwait(false)).Events is [var newest, ..] ? newest.Id : 0;

    // Older events within the overlap are not new: the next reads find them too.
    private async Task SkipAsync(long before, CancellationToken cancellationToken)
    {
        long? next = before;
        while (next is { } id)
        {
            var page = await list(query with { After = Oldest, Before = id, Limit = PageSize }, cancellationToken).ConfigureAwait(false);
            _seen.UnionWith(page.Events.Select(static one => one.Id));
            next = page.NextBefore;
        }
    }

    // From the oldest on, each part being written before the next one is read: a reader that continues after an event of long ago does
    // not wait for all, and a failure takes nothing from it.
    private async Task WriteNewAsync(CancellationToken cancellationToken)
    {
        var newest = await FindNewestAsync(cancellationToken).ConfigureAwait(false);
        var (after, ids) = (Oldest, LeastIds);
        while (newest - after > ids)
        {
            var found = await ReadAsync(after, after + ids + 1, cancellationToken).ConfigureAwait(false);
            Write(found);
            after += ids;
            ids = found.Count < PageSize ? Math.Min(2 * ids, MostIds) : LeastIds;
        }

        Write(await ReadAsync(after, before: null, cancellationToken).ConfigureAwait(false));
        _last = Math.Max(_last, newest);
        _seen.RemoveWhere(id => id < _last - Overlap);
    }

    private async Task<IReadOnlyList<QueueEvent>> ReadAsync(long after, long? before, CancellationToken cancellationToken)
    {
        var found = new List<QueueEvent>();
        var next = query with { After = after, Before = before, Limit = PageSize };
        while (true)
        {
            var page = await list(next, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Events.Where(one => !_seen.Contains(one.Id)));
            if (page.NextBefore is not { } older)
            {
                break;
            }

            next = next with { Before = older };
        }

        found.Reverse();
        return found;
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
