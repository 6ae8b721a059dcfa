using System.Runtime.ExceptionServices;
using System.Text.Json.Serialization;

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

    /// <summary>The first error, if a store could not recover the work of one of the dead nodes: the items are those of the others. The
    /// engine logs the items and then throws the error, so that a report which it returns has none.</summary>
    [JsonIgnore]
    public Exception? Failure { get; init; }

    /// <summary>Throws the error, if there is one.</summary>
    internal void ThrowIfIncomplete()
    {
        if (Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
