using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>How likely it is that an entry crashed its nodes.</summary>
internal enum Suspicion
{
    /// <summary>Not suspect: it has no crash, or a single one, which another entry of the same node may have caused.</summary>
    None,

    /// <summary>At least two nodes died while they held it: few suspects run at the same time.</summary>
    Suspect,

    /// <summary>One more crash fails it: it runs as the only suspect of its node.</summary>
    LastChance,
}
