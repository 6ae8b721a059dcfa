using System.Data;
using System.Data.Common;

namespace TaskRecovery.Tests.Support;

/// <summary>Stands for a transaction of the worker's own; <see cref="FakeQueueStore"/> does not look inside.</summary>
internal sealed class FakeTransaction : DbTransaction
{
    /// <summary>Whether it was committed or rolled back.</summary>
    public bool HasEnded { get; private set; }

    public override IsolationLevel IsolationLevel
        => HasEnded ? throw new InvalidOperationException("The transaction has ended.") : IsolationLevel.ReadCommitted;

    protected override DbConnection? DbConnection => null;

    public override void Commit() => HasEnded = true;

    public override void Rollback() => HasEnded = true;
}
