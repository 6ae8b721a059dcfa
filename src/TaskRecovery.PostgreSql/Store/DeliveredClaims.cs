using System.Collections.Concurrent;

namespace TaskRecovery.PostgreSql;

/// <summary>Which entries the claims hold that this process made, so that a finish need not have the database read a claim's list to see that an entry is in it.</summary>
/// <remarks>Only a shortcut: what is not known here is checked there.</remarks>
internal sealed class DeliveredClaims
{
    // More than a node ever has; what a life that ended left behind must not grow without end.
    private const int MaxClaims = 10_000;

    private readonly ConcurrentDictionary<long, long[]> _claims = new();

    internal void Add(long fence, long[] entries)
    {
        if (_claims.Count >= MaxClaims)
        {
            _claims.Clear();
        }

        Array.Sort(entries);
        _claims[fence] = entries;
    }

    internal bool Contains(long fence, long entry) => _claims.TryGetValue(fence, out var entries) && Array.BinarySearch(entries, entry) >= 0;

    internal void Forget(IEnumerable<long> fences)
    {
        foreach (var fence in fences)
        {
            _claims.TryRemove(fence, out _);
        }
    }
}
