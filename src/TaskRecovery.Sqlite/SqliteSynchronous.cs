namespace TaskRecovery;

/// <summary>What a commit waits for before it is acknowledged.</summary>
public enum SqliteSynchronous
{
    /// <summary>A commit waits until the data is on the disk: acknowledged writes survive a power failure.</summary>
    Full = 0,

    /// <summary>A commit waits only for the operating system. A crash of the process loses nothing. A power failure or a crash of the
    /// operating system can undo the last commits: acknowledged entries are lost, and so are outcomes, so that finished work runs again.
    /// The file is not damaged.</summary>
    Normal = 1,
}
