namespace TaskRecovery;

/// <summary>How a run ended. The numbers are those of the outcomes that the stores keep.</summary>
public enum EntryRunEnd
{
    /// <summary>The entry completed.</summary>
    Completed = 0,

    /// <summary>The entry failed.</summary>
    Failed = 1,

    /// <summary>The entry was cancelled.</summary>
    Cancelled = 2,

    /// <summary>The run failed, and the entry is tried again.</summary>
    Retried = 3,

    /// <summary>The handler asked to run later.</summary>
    Snoozed = 4,

    /// <summary>The node released the entry.</summary>
    Released = 5,

    /// <summary>The node died.</summary>
    Lost = 6,

    /// <summary>Another entry has taken over the task, or has replaced this planned run.</summary>
    Superseded = 7,
}
