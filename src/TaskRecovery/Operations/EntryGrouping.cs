namespace TaskRecovery;

/// <summary>How <see cref="IQueueMonitor.GroupAsync"/> separates entries.</summary>
public enum EntryGrouping
{
    /// <summary>By kind.</summary>
    Kind = 0,

    /// <summary>By the reason why they ended; entries without a reason have an empty key.</summary>
    Reason = 1,

    /// <summary>By queue.</summary>
    Queue = 2,

    /// <summary>By state.</summary>
    State = 3,
}
