namespace TaskRecovery.PostgreSql;

/// <summary>A snapshot of the numbers of kinds and queues for one call. It never changes, so that the names of the call's entries keep the
/// numbers they were resolved to.</summary>
/// <param name="age">The generation of the numbers: numbers that were read before <see cref="NameTable.Clear"/> belong to another
/// one.</param>
/// <param name="kinds">Kinds and their numbers.</param>
/// <param name="queues">Queues and their numbers.</param>
internal sealed class NameNumbers(object age, Dictionary<string, int> kinds, Dictionary<string, int> queues)
{
    /// <summary>An empty snapshot of a new generation.</summary>
    internal static NameNumbers Nothing() => new(new object(), new(StringComparer.Ordinal), new(StringComparer.Ordinal));

    /// <summary>The number of a kind.</summary>
    /// <exception cref="InvalidOperationException">The kind has no number in this snapshot. Storing the entry under 0 would lose
    /// it.</exception>
    internal short Kind(string name)
        => kinds.TryGetValue(name, out var number)
            ? checked((short)number)
            : throw new InvalidOperationException(
                $"Kind '{name}' has no number: its name was not resolved before the call, or its row was removed from 'kinds' meanwhile. "
                + "Nothing was stored.");

    /// <summary>The number of a queue.</summary>
    /// <exception cref="InvalidOperationException">The queue has no number in this snapshot. Storing the entry under 0 would lose
    /// it.</exception>
    internal int Queue(string name)
        => queues.TryGetValue(name, out var number)
            ? number
            : throw new InvalidOperationException(
                $"Queue '{name}' has no number: its name was not resolved before the call, or its row was removed from 'queues' meanwhile. "
                + "Nothing was stored.");

    /// <summary>Whether a kind has a number in this snapshot.</summary>
    internal bool HasKind(string name) => kinds.ContainsKey(name);

    /// <summary>Whether a queue has a number in this snapshot.</summary>
    internal bool HasQueue(string name) => queues.ContainsKey(name);

    /// <summary>Whether both snapshots belong to the same generation.</summary>
    internal bool IsAsOldAs(NameNumbers other) => ReferenceEquals(age, other.Age);

    /// <summary>A new snapshot of the same generation that also contains the given numbers.</summary>
    internal NameNumbers With(Dictionary<string, int> moreKinds, Dictionary<string, int> moreQueues)
        => new(age, Merge(kinds, moreKinds), Merge(queues, moreQueues));

    private object Age => age;

    private static Dictionary<string, int> Merge(Dictionary<string, int> known, Dictionary<string, int> more)
    {
        if (more.Count == 0)
        {
            return known;
        }

        var merged = new Dictionary<string, int>(known, StringComparer.Ordinal);
        foreach (var (name, number) in more)
        {
            merged[name] = number;
        }

        return merged;
    }
}
