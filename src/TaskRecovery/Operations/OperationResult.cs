namespace TaskRecovery;

/// <summary>Whether a command about a bulk operation was carried out.</summary>
public enum OperationResult
{
    /// <summary>It was carried out.</summary>
    Done = 0,

    /// <summary>There is no such operation.</summary>
    NotFound = 1,

    /// <summary>The operation was prepared more than 10 minutes ago. Prepare it again.</summary>
    Expired = 2,

    /// <summary>Another actor prepared the operation. Prepare one of your own.</summary>
    OtherActor = 3,

    /// <summary>The operation is not in a state in which this is possible: only a prepared one is started, only a running one is stopped,
    /// and only one that has ended or was stopped within the last 30 days is undone: once, or again after its undo was stopped.</summary>
    WrongState = 4,
}
