using System.Collections.Concurrent;

namespace TaskRecovery.PostgreSql;

/// <summary>The nodes as which this process could not register. Their rows may be stored all the same, if the answer to the commit was
/// lost. Nothing runs under their ids.</summary>
internal sealed class FailedRegistrations
{
    private const int Most = 1_000;

    private readonly ConcurrentDictionary<Guid, bool> _nodes = new();

    public void Add(Guid nodeId)
    {
        // Most of them are not stored and stay here. After so many attempts, the first ones are settled.
        if (_nodes.Count >= Most)
        {
            _nodes.Clear();
        }

        _nodes[nodeId] = true;
    }

    public bool Contains(Guid nodeId) => _nodes.ContainsKey(nodeId);

    /// <summary>A registration has succeeded, and has declared the rows dead that it has seen.</summary>
    public void Remove(IEnumerable<Guid> nodeIds)
    {
        foreach (var nodeId in nodeIds)
        {
            _nodes.TryRemove(nodeId, out _);
        }
    }
}
