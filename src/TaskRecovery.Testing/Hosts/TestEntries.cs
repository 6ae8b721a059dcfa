using System.Globalization;
using System.Text;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Testing.Runs;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Reads the entries of the queue under test, and shows them if an expectation is not met.</summary>
internal sealed class TestEntries(
    IQueueStore store, KindRegistrations kinds, KindRegistry registry, EntryJson json, IPayloadReader payloads)
{
    private const int PageSize = 1_000;
    private const int MostShown = 50;

    /// <summary>The entries of one kind with their arguments, oldest first.</summary>
    public async Task<List<EnqueuedEntry<TArgs>>> ListAsync<TArgs>(CancellationToken cancellationToken)
        where TArgs : notnull
    {
        string kind;
        try
        {
            kind = registry.ForArgs(typeof(TArgs)).Name;
        }
        catch (KindNotRegisteredException exception)
        {
            var registered = kinds.All.Where(static kind => kind.IsEnqueuedByType).Select(
                static kind => $"{kind.ArgsType.Name} ('{kind.Kind}')").ToList();
            throw new TestFailedException(
                $"No kind is registered for {typeof(TArgs)}, so no such entry can be enqueued. "
                + $"The application registers {(registered.Count == 0 ? "none" : string.Join(", ", registered))}.", exception);
        }

        var entries = await ListAsync(new EntryFilter { Kind = kind, WithPayloads = true }, cancellationToken).ConfigureAwait(false);
        return entries.ConvertAll(entry => new EnqueuedEntry<TArgs>(json.Read<TArgs>(Encoding.UTF8.GetBytes(entry.Args))!, entry));
    }

    /// <summary>The failure of an expectation, with a table of what is enqueued.</summary>
    public async Task<TestFailedException> FailAsync<TArgs>(string sentence, CancellationToken cancellationToken)
    {
        var all = await ListAsync(new EntryFilter { WithPayloads = true }, cancellationToken).ConfigureAwait(false);
        if (all.Count == 0)
        {
            return new TestFailedException($"{sentence}\nNothing was enqueued.");
        }

        var kind = registry.ForArgs(typeof(TArgs)).Name;
        var shown = all.OrderBy(entry => entry.Kind != kind).ThenBy(static entry => entry.Id).Take(MostShown).ToList();
        var more = all.Count > shown.Count ? $"\n... and {Text(all.Count - shown.Count)} more" : "";
        return new TestFailedException($"{sentence} The queue has:\n{Table(shown)}{more}");
    }

    /// <summary>The entries that match a filter, oldest first.</summary>
    public async Task<List<QueueEntry>> ListAsync(EntryFilter filter, CancellationToken cancellationToken)
    {
        var entries = new List<QueueEntry>();
        long? before = null;
        do
        {
            var next = filter with { Limit = PageSize, Before = before };
            var page = await store.ListAsync(next, cancellationToken).ConfigureAwait(false);
            entries.AddRange(page.Entries);
            before = page.NextBefore;
        }
        while (before is not null);

        entries.Reverse();
        return entries;
    }

    private string Table(List<QueueEntry> entries)
    {
        string[] heading = ["id", "kind", "queue", "state", "attempt", "due", "args"];
        List<string[]> rows = [heading, .. entries.Select(Row)];
        var widths = Enumerable.Range(0, heading.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return string.Join(
            '\n', rows.Select(row => "  " + string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    private string[] Row(QueueEntry entry) =>
    [
        entry.Id.ToString(CultureInfo.InvariantCulture),
        entry.Kind,
        entry.Queue,
        entry.Reason is null ? entry.State.ToString() : $"{entry.State} ({entry.Reason})",
        $"{Text(entry.Attempt)}/{Text(entry.MaxAttempts)}",
        entry.RunAt?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "",
        RunText.Shorten(payloads.Read(entry.Args)),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
