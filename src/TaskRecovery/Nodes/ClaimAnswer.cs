namespace TaskRecovery.Nodes;

/// <summary>What the caller does with the answer of a claim call.</summary>
internal enum ClaimAnswer
{
    /// <summary>Run its entries.</summary>
    Accepted,

    /// <summary>The lease under which the call was sent has expired: start none of its entries. The reconciler releases them.</summary>
    TooLate,

    /// <summary>The database has lost commits: start none of its entries and call
    /// <see cref="ICurrentNode.ReportLostCommits"/>.</summary>
    LostCommits,
}
