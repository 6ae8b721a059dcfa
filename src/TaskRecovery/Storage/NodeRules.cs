using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>How a store shows and keeps nodes, as pure functions.</summary>
[Experimental("TASKRECOVERY001")]
public static class NodeRules
{
    /// <summary>Returns how a node is shown with the entries and tasks that it ran: by its name; or by its id if it has no name or joined
    /// without it, because another living node had that name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="isNamed">Whether the node joined with its name.</param>
    /// <param name="id">The id.</param>
    public static string Label(string name, bool isNamed, Guid id)
    {
        ArgumentNullException.ThrowIfNull(name);
        return isNamed && name.Length > 0 ? name : id.ToString();
    }

    /// <summary>Returns how long a dead node stays: as long as the longest history, because an outcome shows its node's name, and a day
    /// more, because the last outcomes of a dead node are stored by a sweep after its death.</summary>
    public static TimeSpan DeadNodesStay(RetentionOptions retention)
    {
        ArgumentNullException.ThrowIfNull(retention);
        return new[] { retention.Completed, retention.Failed, retention.Cancelled }.Max() + TimeSpan.FromDays(1);
    }
}
