using System.Collections.Concurrent;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The entries that the next steps of running operations may change, as this process found them.</summary>
/// <remarks>To find entries that wait, a search reads all waiting rows, because they have no order by id. So one search finds those of many
/// steps. Every condition is checked again when a step has locked its entries, and if another process does a step, the position of the
/// operation says how far it came.</remarks>
internal sealed class OperationCandidates
{
    /// <summary>How many entries one search finds at most.</summary>
    internal const int Most = 20_000;

    // An entry that begins to match after the search is missed, so a search must not be old.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<long, Found> _found = new();

    /// <summary>Whether one search finds the entries of many steps.</summary>
    public static bool IsFor(EntryQuery query) => new EntryConditions(query).AreActive;

    /// <summary>Takes the entries of the next step from what was found before.</summary>
    /// <param name="operationId">The operation.</param>
    /// <param name="position">Entries with a smaller id are still to be done.</param>
    /// <param name="count">How many entries a step has.</param>
    /// <returns>The entries, and the position of the next step, or nothing after the last one; <see langword="null"/> if a search is
    /// needed.</returns>
    public (long[] Ids, long? Next)? TryTake(long operationId, long position, int count)
        => _found.TryGetValue(operationId, out var found) && !found.IsOld && position <= found.From && !(position <= found.Edge)
            ? Take(found, position, count)
            : null;

    /// <summary>Keeps what a search has found, and takes the entries of the next step.</summary>
    /// <param name="operationId">The operation.</param>
    /// <param name="position">Where the search began.</param>
    /// <param name="ids">What it found, newest first.</param>
    /// <param name="edge">How far it has looked; <see langword="null"/> if it has examined everything.</param>
    /// <param name="count">How many entries a step has.</param>
    public (long[] Ids, long? Next) Keep(long operationId, long position, List<long> ids, long? edge, int count)
    {
        foreach (var (id, old) in _found)
        {
            if (old.IsOld)
            {
                _found.TryRemove(id, out _);
            }
        }

        var found = new Found(position, ids, edge, TimeProvider.System.GetTimestamp());
        if (ids.Count > count)
        {
            _found[operationId] = found;
        }
        else
        {
            _found.TryRemove(operationId, out _);
        }

        return Take(found, position, count);
    }

    private static (long[] Ids, long? Next) Take(Found found, long position, int count)
    {
        long[] ids = [.. found.Ids.SkipWhile(id => id >= position).Take(count)];
        return (ids, ids.Length == count ? ids[^1] : found.Edge);
    }

    /// <summary>What a search has found.</summary>
    /// <param name="From">Where it began.</param>
    /// <param name="Ids">The entries, newest first.</param>
    /// <param name="Edge">How far it has looked; <see langword="null"/> if it has examined everything.</param>
    /// <param name="At">When it was done.</param>
    private sealed record Found(long From, List<long> Ids, long? Edge, long At)
    {
        public bool IsOld => TimeProvider.System.GetElapsedTime(At) > MaxAge;
    }
}
