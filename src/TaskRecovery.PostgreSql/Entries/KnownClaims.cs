using System.Collections.Concurrent;

namespace TaskRecovery.PostgreSql;

/// <summary>Remembers the entries of the claims that this process made, so that finishing an entry does not make the database read the
/// claim's entry list.</summary>
/// <remarks>Only an optimization: if a claim is unknown here, the database checks the list.</remarks>
internal sealed class KnownClaims
{
    // More claims than a node ever holds. Bounds what earlier nodes of this process leave behind.
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

    internal bool Contains(long fence, long entry)
        => _claims.TryGetValue(fence, out var entries) && Array.BinarySearch(entries, entry) >= 0;

    internal void Forget(IEnumerable<long> fences)
    {
        foreach (var fence in fences)
        {
            _claims.TryRemove(fence, out _);
        }
    }
}
