namespace TaskRecovery.PostgreSql;

/// <summary>The numbers of the kinds that an operator has paused. A new object means that the set has changed.</summary>
internal sealed class PausedKinds
{
    private readonly HashSet<short> _numbers;

    private PausedKinds(IEnumerable<short> numbers) => _numbers = [.. numbers];

    /// <summary>No kind is paused.</summary>
    internal static PausedKinds None { get; } = new([]);

    /// <summary>Returns this object if the set is the same.</summary>
    internal PausedKinds Update(List<short> numbers)
        => _numbers.SetEquals(numbers) ? this : numbers.Count == 0 ? None : new PausedKinds(numbers);

    /// <summary>Whether a kind is paused.</summary>
    internal bool Contains(short kind) => _numbers.Contains(kind);

    /// <summary>The kinds that are not paused, with their names. Costs nothing if none is paused.</summary>
    internal (short[] Kinds, string[] Names) Remove(short[] kinds, string[] names)
    {
        if (_numbers.Count == 0)
        {
            return (kinds, names);
        }

        int[] open = [.. Enumerable.Range(0, kinds.Length).Where(index => !_numbers.Contains(kinds[index]))];
        return (Array.ConvertAll(open, index => kinds[index]), Array.ConvertAll(open, index => names[index]));
    }
}
