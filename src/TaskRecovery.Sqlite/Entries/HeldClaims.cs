namespace TaskRecovery.Sqlite;

/// <summary>The claims that a node holds, each looked up once per flush.</summary>
internal sealed class HeldClaims(SqliteSession session, ClaimContentsCache cache, Guid nodeId)
{
    private readonly Dictionary<long, (long Node, ClaimContents Contents)?> _claims = [];
    private long? _node;

    /// <summary>Returns the claim if it exists and belongs to the node.</summary>
    public (long Node, ClaimContents Contents)? Find(long fence)
    {
        if (!_claims.TryGetValue(fence, out var claim))
        {
            claim = Read(fence);
            _claims.Add(fence, claim);
        }

        return claim;
    }

    /// <summary>Returns whether the node runs an entry under a fence: the claim belongs to it, lists the entry, and has no outcome for it
    /// yet.</summary>
    public bool Runs(long entry, long fence)
        => Find(fence) is { } claim && claim.Contents.TryGet(entry, out _, out _)
            && !session.Get(OutcomeSql.Exists).Bind(1, entry).Bind(2, fence).Exists();

    private (long Node, ClaimContents Contents)? Read(long fence)
    {
        _node ??= session.Get(NodeSql.Find).Bind(1, nodeId).Scalar();
        if (_node is not { } node || !session.Get(ClaimSql.IsHeldBy).Bind(1, fence).Bind(2, nodeId).Exists())
        {
            return null;
        }

        return (node, cache.Find(fence) ?? Parse(fence));
    }

    private ClaimContents Parse(long fence)
    {
        var statement = session.Get(ClaimSql.Contents).Bind(1, fence);
        statement.Step();
        var contents = ClaimContents.Parse(statement.Bytes(0), statement.Bytes(1), statement.Bytes(2));
        statement.Reset();
        return contents;
    }
}
