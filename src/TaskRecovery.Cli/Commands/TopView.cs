using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary>What the live screen shows.</summary>
internal sealed record TopView
{
    private const int MaxRunning = 10;
    private const int MaxEvents = 8;

    private static readonly EntryQuery RunningEntries = new() { States = [EntryState.Running], Limit = MaxRunning };

    public required string Where { get; init; }

    public required QueueSnapshot Snapshot { get; init; }

    public required IReadOnlyList<NodeSummary> Nodes { get; init; }

    public required IReadOnlyList<EntryLife> Running { get; init; }

    public required IReadOnlyList<QueueEvent> Events { get; init; }

    public static async Task<TopView> ReadAsync(StoreSession store, CancellationToken cancellationToken)
    {
        var running = new List<EntryLife>();
        foreach (var entry in (await store.Monitor.ListAsync(RunningEntries, cancellationToken).ConfigureAwait(false)).Entries)
        {
            var life = await store.Monitor.GetLifeAsync(entry.Id, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (life is { Claim: not null })
            {
                running.Add(life);
            }
        }

        return new TopView
        {
            Where = store.Where,
            Snapshot = await store.Monitor.GetSnapshotAsync(cancellationToken).ConfigureAwait(false),
            Nodes = await store.Monitor.ListNodesAsync(cancellationToken).ConfigureAwait(false),
            Running = running,
            Events =
                (await store.Monitor.ListEventsAsync(new EventQuery { Limit = MaxEvents }, cancellationToken).ConfigureAwait(false)).Events,
        };
    }

    /// <summary>The lines and tables of the screen, the most important first: what does not fit is cut off at its end.</summary>
    /// <param name="problem">Why the data could not be updated; <see langword="null"/> if they were.</param>
    public IEnumerable<object> Parts(string? problem)
    {
        yield return problem is null ? StatusCommand.HeaderOf(Where, Snapshot) : $"OLD DATA of {Format.Time(Snapshot.TakenAt)}: {problem}";
        var (queues, others) = QueuesCommand.BusiestOf(Snapshot.Queues);
        yield return queues;
        if (others is not null)
        {
            yield return others;
        }

        yield return StatusCommand.TotalsOf(Snapshot);
        if (NodesOf(Nodes) is { Rows.Count: > 0 } nodes)
        {
            yield return nodes;
        }

        if (RunningOf(Running) is { Rows.Count: > 0 } running)
        {
            yield return running;
        }

        foreach (var one in Events)
        {
            yield return EventsCommand.LineOf(one);
        }
    }

    private static TextTable NodesOf(IEnumerable<NodeSummary> nodes)
    {
        var table = new TextTable("node", "state", "heartbeat", "entries", "memory", "processor", "machine", "version");
        foreach (var node in nodes.Where(static node => node.DeadAt is null))
        {
            table.Add(
                node.Name,
                node.State.ToString(),
                Format.Duration(node.HeartbeatAge),
                Format.Number(node.Entries),
                node.Vitals is { } vitals ? $"{vitals.WorkingSetBytes >> 20} MiB" : Format.Text(null),
                node.Vitals is { } load ? $"{load.CpuPercent:0} %" : Format.Text(null),
                node.Machine,
                Format.Text(node.ApplicationVersion ?? node.LibraryVersion));
        }

        return table;
    }

    private static TextTable RunningOf(IEnumerable<EntryLife> lives)
    {
        var table = new TextTable("running", "kind", "node", "since", "at risk", "attempt", "step", "progress");
        foreach (var life in lives)
        {
            table.Add(
                Format.Number(life.Entry.Id),
                life.Entry.Kind,
                Format.Text(life.Claim?.Node),
                Format.Time(life.Claim?.ClaimedAt),
                life.WorkAtRisk is { } risk ? Format.Duration(risk) : Format.Text(null),
                Format.Number(life.Entry.Attempt),
                Format.Text(life.Steps.Count > 0 ? life.Steps[^1].Name : null),
                life.Progress is { } progress ? LifeText.Describe(progress) : Format.Text(null));
        }

        return table;
    }
}
