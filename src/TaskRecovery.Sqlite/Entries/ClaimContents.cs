using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>The contents of a claim: its entries in order, with their attempts and crashes at the time of the claim.</summary>
internal sealed class ClaimContents
{
    private readonly Dictionary<long, (int Attempt, int Crashes)> _entries;

    public ClaimContents(IReadOnlyList<(long Id, int Attempt, int Crashes)> entries)
    {
        Entries = entries;
        _entries = new(entries.Count);
        foreach (var (id, attempt, crashes) in entries)
        {
            _entries[id] = (attempt, crashes);
        }
    }

    public IReadOnlyList<(long Id, int Attempt, int Crashes)> Entries { get; }

    public bool TryGet(long entry, out int attempt, out int crashes)
    {
        var found = _entries.TryGetValue(entry, out var counts);
        (attempt, crashes) = counts;
        return found;
    }

    /// <summary>Parses the three arrays of a row. A number that another program has removed counts as 0: a claim that can't be read would
    /// keep its node from being swept.</summary>
    public static ClaimContents Parse(ReadOnlySpan<byte> entries, ReadOnlySpan<byte> attempts, ReadOnlySpan<byte> crashes)
    {
        var all = new List<(long, int, int)>();
        while (TryNext(ref entries, out var id))
        {
            _ = TryNext(ref attempts, out var attempt);
            _ = TryNext(ref crashes, out var crash);
            all.Add((id, (int)attempt, (int)crash));
        }

        return new ClaimContents(all);
    }

    /// <summary>Serializes one of the arrays.</summary>
    public static byte[] Write<T>(IReadOnlyList<T> items, Func<T, long> number)
    {
        var buffer = new ArrayBufferWriter<byte>((items.Count * 8) + 2);
        var separator = (byte)'[';
        foreach (var item in items)
        {
            var span = buffer.GetSpan(24);
            span[0] = separator;
            Utf8Formatter.TryFormat(number(item), span[1..], out var written);
            buffer.Advance(written + 1);
            separator = (byte)',';
        }

        if (items.Count == 0)
        {
            buffer.GetSpan(1)[0] = (byte)'[';
            buffer.Advance(1);
        }

        buffer.GetSpan(1)[0] = (byte)']';
        buffer.Advance(1);
        return buffer.WrittenSpan.ToArray();
    }

    private static bool TryNext(ref ReadOnlySpan<byte> array, out long number)
    {
        var start = array.IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0 || !Utf8Parser.TryParse(array[start..], out number, out var used))
        {
            number = 0;
            return false;
        }

        array = array[(start + used)..];
        return true;
    }
}

/// <summary>Caches the contents of this process's latest claims. A claim's row never changes, so only its existence has to be
/// checked.</summary>
internal sealed class ClaimContentsCache
{
    private const int Limit = 1024;

    private readonly ConcurrentDictionary<long, ClaimContents> _claims = new();

    public void Add(long fence, ClaimContents contents)
    {
        // Far more claims than a node holds: only claims that another node removed can accumulate.
        if (_claims.Count >= Limit)
        {
            _claims.Clear();
        }

        _claims[fence] = contents;
    }

    public ClaimContents? Find(long fence) => _claims.GetValueOrDefault(fence);

    public void Clear() => _claims.Clear();

    public void Remove(long fence) => _claims.TryRemove(fence, out _);
}
