namespace TaskRecovery;

/// <summary>Where an entry that is retried by hand starts.</summary>
public enum RetryFrom
{
    /// <summary>After its last finished step, and with its checkpoint: what was done is not done again.</summary>
    LastStep = 0,

    /// <summary>At the start: its finished steps and its checkpoint are removed. For an entry whose handler undid what the steps had done.</summary>
    Start = 1,
}
