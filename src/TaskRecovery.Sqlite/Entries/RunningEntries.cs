using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>The entries that are running at one moment: those listed by a claim that has no outcome for them.</summary>
internal sealed class RunningEntries
{
    private readonly Dictionary<long, RunningEntry> _entries = [];

    public IReadOnlyCollection<long> Ids => _entries.Keys;

    public RunningEntry? Find(long entry) => _entries.TryGetValue(entry, out var running) ? running : null;

    /// <summary>Reads the running entries.</summary>
    public static RunningEntries Read(SqliteSession session)
    {
        var all = new RunningEntries();
        var statement = session.Get(ClaimSql.All);
        while (statement.Step())
        {
            var (claim, contents) = ReadClaim(statement);
            foreach (var (id, attempt, crashes) in contents.Entries)
            {
                if (!session.Get(OutcomeSql.Exists).Bind(1, id).Bind(2, claim.Fence).Exists())
                {
                    all._entries[id] = claim with { Attempt = attempt, Crashes = crashes };
                }
            }
        }

        return all;
    }

    /// <summary>Reads one entry, if it is running, without looking up all others.</summary>
    public static RunningEntries ReadOne(SqliteSession session, long entry)
    {
        var one = new RunningEntries();
        var statement = session.Get(ClaimSql.OfRunning).Bind(1, entry);
        if (statement.Step())
        {
            var (claim, contents) = ReadClaim(statement);
            contents.TryGet(entry, out var attempt, out var crashes);
            one._entries[entry] = claim with { Attempt = attempt, Crashes = crashes };
        }

        statement.Reset();
        return one;
    }

    private static (RunningEntry Claim, ClaimContents Contents) ReadClaim(SqliteStatement row)
    {
        var nodeId = row.Guid(4);
        var node = NodeRules.Label(row.Text(2), row.Boolean(3), nodeId);
        var claim = new RunningEntry(
            row.Int64(0), Micros.ToTime(row.Int64(1)), row.Int64(8), nodeId, node, Attempt: 0, Crashes: 0);
        return (claim, ClaimContents.Parse(row.Bytes(5), row.Bytes(6), row.Bytes(7)));
    }
}

/// <summary>A running entry.</summary>
internal readonly record struct RunningEntry(
    long Fence, DateTimeOffset ClaimedAt, long NodeNumber, Guid NodeId, string Node, int Attempt, int Crashes);
