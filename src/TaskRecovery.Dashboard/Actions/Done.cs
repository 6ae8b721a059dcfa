namespace TaskRecovery.Dashboard.Actions;

/// <summary>What an action did, and where the browser goes to.</summary>
/// <param name="Path">The page below the root.</param>
/// <param name="Note">The code of the note that the page shows (see <see cref="Toast"/>).</param>
internal sealed record Done(string Path, string Note)
{
    /// <summary>The number in the note.</summary>
    public long? Number { get; init; }

    /// <summary>How many entries the action that was prepared would change.</summary>
    public Count? Entries { get; init; }

    /// <summary>The operation that can be undone from the note.</summary>
    public long? Undo { get; init; }

    /// <summary>What was paused or resumed (<c>queues</c>, <c>kinds</c> or <c>jobs</c>), its name or id, and why and until when it is or
    /// was paused, so that the note can offer the opposite.</summary>
    public (string What, string Name, string? Why, string? End)? Pause { get; init; }

    /// <summary>The address, with the note as parameters.</summary>
    public string Address
        => $"{Path}{(Path.Contains('?', StringComparison.Ordinal) ? '&'
            : '?')}did={Note}{(Number is { } number ? $"&n={number}" : "")}{(Undo is { } undo ? $"&undo={undo}" : "")}{(
            Pause is var (what, name, why, end)
                ? $"&of={what}&name={Uri.EscapeDataString(name)}{Given("why", why)}{Given("end", end)}" : "")}";

    private static string Given(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
