namespace TaskRecovery.Storage;

/// <summary>How the death of a node was established, as the log and the events of both stores say it.</summary>
internal static class DeathProofText
{
    public const string LeaseExpired = "it sent no heartbeat for a whole lease";
    public const string LockFree = "its lock is free";
    public const string ProcessGone = "its process is gone";
    public const string Unknown = "unknown proof";

    /// <summary>Comes before the name of the node that declared it.</summary>
    public const string Judge = "; declared by node ";

    /// <summary>The text of a proof.</summary>
    public static string Of(DeathProof proof) => proof switch
    {
        DeathProof.LeaseExpired => LeaseExpired,
        DeathProof.LockFree => LockFree,
        DeathProof.ProcessGone => ProcessGone,
        _ => Unknown,
    };
}
