namespace TaskRecovery;

/// <summary>The result of a recovery.</summary>
/// <param name="Items">One item for each entry or task that the recovery changed.</param>
public sealed record RecoveryReport(IReadOnlyList<RecoveryItem> Items)
{
    /// <summary>A report without items.</summary>
    public static RecoveryReport Empty { get; } = new([]);

    /// <summary>The number of items that run again.</summary>
    public int Recovered => Items.Count(item => item.Action == RecoveryAction.Recovered);

    /// <summary>The number of items that were closed.</summary>
    public int Closed => Items.Count(item => item.Action == RecoveryAction.Closed);
}
