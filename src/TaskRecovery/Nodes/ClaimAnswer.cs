namespace TaskRecovery.Nodes;

/// <summary>What the caller does with the answer of a claim call.</summary>
internal enum ClaimAnswer
{
    /// <summary>Run its entries.</summary>
    Accepted,

    /// <summary>The lease under which the call was sent has expired: start none of its entries. The reconciler releases them.</summary>
    TooLate,

    /// <summary>The database went back in time: start none of its entries and call
    /// <see cref="ICurrentNode.ReportWentBackInTime"/>.</summary>
    WentBackInTime,
}
