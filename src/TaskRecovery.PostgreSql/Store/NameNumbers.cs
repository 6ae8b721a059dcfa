namespace TaskRecovery.PostgreSql;

/// <summary>The numbers of kinds and queues as one call uses them. Never changed, so that a call's entries keep the numbers that their names were resolved to.</summary>
/// <param name="age">Which set of names it belongs to: numbers that were read before <see cref="NameTable.Clear"/> are of another one.</param>
/// <param name="kinds">Kinds and their numbers.</param>
/// <param name="queues">Queues and their numbers.</param>
internal sealed class NameNumbers(object age, Dictionary<string, int> kinds, Dictionary<string, int> queues)
{
    /// <summary>Nothing is known.</summary>
    internal static NameNumbers Nothing() => new(new object(), new(StringComparer.Ordinal), new(StringComparer.Ordinal));

    /// <summary>A kind's number.</summary>
    /// <exception cref="InvalidOperationException">It has none here. Storing it under 0 would lose the entry.</exception>
    internal short Kind(string name)
        => kinds.TryGetValue(name, out var number)
            ? checked((short)number)
            : throw new InvalidOperationException($"Kind '{name}' has no number: its name was not resolved before the call, or its row was removed from 'kinds' meanwhile. Nothing was stored.");

    /// <summary>A queue's number.</summary>
    /// <exception cref="InvalidOperationException">It has none here. Storing it under 0 would lose the entry.</exception>
    internal int Queue(string name)
        => queues.TryGetValue(name, out var number)
            ? number
            : throw new InvalidOperationException($"Queue '{name}' has no number: its name was not resolved before the call, or its row was removed from 'queues' meanwhile. Nothing was stored.");

    /// <summary>Whether a kind has a number here.</summary>
    internal bool HasKind(string name) => kinds.ContainsKey(name);

    /// <summary>Whether a queue has a number here.</summary>
    internal bool HasQueue(string name) => queues.ContainsKey(name);

    /// <summary>Whether both come from the same set of names.</summary>
    internal bool IsAsOldAs(NameNumbers other) => ReferenceEquals(age, other.Age);

    /// <summary>These and others, as a new snapshot of the same set.</summary>
    internal NameNumbers With(Dictionary<string, int> moreKinds, Dictionary<string, int> moreQueues) => new(age, Merge(kinds, moreKinds), Merge(queues, moreQueues));

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
