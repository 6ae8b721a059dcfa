using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Which hints stored entries need.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // If an entry is due later than this, the next poll finds it in time without a hint.
    private static readonly TimeSpan WorthAHint = TimeSpan.FromSeconds(2);

    private string[] QueuesWorthAHint(IReadOnlyList<NewEntry> entries)
    {
        if (!_database.Options.UseNotifications)
        {
            return [];
        }

        var limit = _time.GetUtcNow() + WorthAHint;
        if (entries is [var single])
        {
            return IsWorthAHint(single, limit) ? [single.Queue] : [];
        }

        var queues = new HashSet<string>(StringComparer.Ordinal);
        string? last = null;
        foreach (var entry in entries)
        {
            if (!ReferenceEquals(entry.Queue, last) && IsWorthAHint(entry, limit))
            {
                queues.Add(last = entry.Queue);
            }
        }

        return [.. queues];
    }

    // It does not matter which clock is compared: an unneeded or missing hint costs one poll.
    private static bool IsWorthAHint(NewEntry entry, DateTimeOffset limit)
        => (entry.RunAt is null || entry.RunAt <= limit) && (entry.RunAfter is null || entry.RunAfter <= WorthAHint);
}
