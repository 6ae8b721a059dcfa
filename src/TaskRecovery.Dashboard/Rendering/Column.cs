namespace TaskRecovery.Dashboard.Rendering;

/// <summary>A column of a table.</summary>
/// <param name="Name">The name.</param>
/// <param name="Style">The class of its cells.</param>
internal sealed record Column(string Name, string Style = "")
{
    /// <summary>Whether the name is shown; otherwise it is only read aloud.</summary>
    public bool IsNamed { get; init; } = true;

    /// <summary>What is shown in place of the name.</summary>
    public Markup Head { get; init; }

    /// <summary>Whether the column has the checkboxes of the rows.</summary>
    public bool IsPick => Style == "pick";

    public static Column Number(string name) => new(name, "number");

    public static Column Actions() => new("Actions", "actions-cell") { IsNamed = false };
}
