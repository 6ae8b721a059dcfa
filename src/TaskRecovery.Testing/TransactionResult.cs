namespace TaskRecovery.Testing;

/// <summary>What becomes of the worker's own transaction in a test without a store (see <see cref="WorkContext.CompleteAsync"/>).</summary>
public enum TransactionResult
{
    /// <summary>The transaction commits, so that the entry is completed. If the worker returns while it is still open, it was not
    /// committed, and the run ends as in production. The test can't see whether a transaction that has ended was rolled back.</summary>
    Commits = 0,

    /// <summary>The transaction is rolled back after the worker has returned, so that the entry is not completed.</summary>
    RollsBack = 1,

    /// <summary><see cref="WorkContext.CompleteAsync"/> throws <see cref="ClaimLostException"/>, because another node has taken over the
    /// entry.</summary>
    ClaimLost = 2,
}
