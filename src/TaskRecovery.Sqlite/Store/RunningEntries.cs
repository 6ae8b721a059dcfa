using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>The entries that are running at one moment: those listed by a claim that has no outcome for them.</summary>
internal sealed class RunningEntries
{
    private readonly Dictionary<long, RunningEntry> _entries = [];

    public IReadOnlyCollection<long> Ids => _entries.Keys;

    public RunningEntry? Find(long entry) => _entries.TryGetValue(entry, out var running) ? running : null;

    /// <summary>Reads the running entries.</summary>
    /// <param name="session">The session to read with.</param>
    /// <param name="withErased">Whether to include entries that an erasure has ended under their claim: their node has not noticed
    /// yet.</param>
    public static RunningEntries Read(SqliteSession session, bool withErased = false)
    {
        var all = new RunningEntries();
        var statement = session.Get(ClaimSql.All);
        while (statement.Step())
        {
            var fence = statement.Int64(0);
            var claimedAt = Micros.ToTime(statement.Int64(1));
            var nodeId = statement.Guid(4);
            var node = NodeRules.Label(statement.Text(2), statement.Boolean(3), nodeId);
            foreach (var (id, attempt, crashes) in ClaimContents.Parse(statement.Bytes(5), statement.Bytes(6), statement.Bytes(7)).Entries)
            {
                if (!session.Get(withErased ? OutcomeSql.ExistsByNode : OutcomeSql.Exists).Bind(1, id).Bind(2, fence).Exists())
                {
                    all._entries[id] = new RunningEntry(fence, claimedAt, nodeId, node, attempt, crashes);
                }
            }
        }

        return all;
    }
}

/// <summary>A running entry.</summary>
internal readonly record struct RunningEntry(long Fence, DateTimeOffset ClaimedAt, Guid NodeId, string Node, int Attempt, int Crashes);
