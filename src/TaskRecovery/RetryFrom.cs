namespace TaskRecovery;

/// <summary>Where an entry starts when it is retried with <see cref="IJobQueue.RetryAsync"/>.</summary>
public enum RetryFrom
{
    /// <summary>The entry resumes: finished steps are not repeated, and the checkpoint is kept.</summary>
    LastStep = 0,

    /// <summary>The entry starts from the beginning: its finished steps and its checkpoint are removed. Use it if the effects of the steps
    /// have been undone.</summary>
    Start = 1,
}
