namespace TaskRecovery;

/// <summary>The state of a bulk operation.</summary>
public enum OperationState
{
    /// <summary>It was prepared and not started.</summary>
    Prepared = 0,

    /// <summary>It is being carried out.</summary>
    Running = 1,

    /// <summary>It has gone through all its entries.</summary>
    Ended = 2,

    /// <summary>An operator stopped it.</summary>
    Stopped = 3,
}
