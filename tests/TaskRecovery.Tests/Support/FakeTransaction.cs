using System.Data;
using System.Data.Common;

namespace TaskRecovery.Tests.Support;

/// <summary>Stands for a transaction of the worker's own; <see cref="FakeQueueStore"/> does not look inside.</summary>
internal sealed class FakeTransaction : DbTransaction
{
    public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;

    protected override DbConnection? DbConnection => null;

    public override void Commit()
    {
    }

    public override void Rollback()
    {
    }
}
