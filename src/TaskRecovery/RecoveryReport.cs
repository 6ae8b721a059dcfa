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

    /// <summary>The first error, if the work of one of the dead nodes could not be recovered; the items are those of the others, and stay
    /// recovered. Its message names the node. <see langword="null"/> if there was no error.</summary>
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
