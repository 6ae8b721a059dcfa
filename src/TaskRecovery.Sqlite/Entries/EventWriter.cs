using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Stores events in a write transaction.</summary>
internal static class EventWriter
{
    /// <summary>Stores one event.</summary>
    public static void Add(SqliteSession session, long now, NewEvent added)
        => session.Get(HistorySql.AddEvent)
            .Bind(1, now).Bind(2, (int)added.Kind).Bind(3, added.Node)
            .Bind(4, added.EntryId).Bind(5, added.Subject).Bind(6, added.OperationId)
            .Bind(7, added.Entries).Bind(8, added.Detail).Bind(9, added.Audit?.Actor)
            .Bind(10, added.Audit?.Reason).Bind(11, added.Audit?.Tool)
            .Execute();

    /// <summary>The text of a verdict.</summary>
    public static string Describe(DeathProof proof, string? judge)
    {
        var text = DeathProofText.Of(proof);
        return judge is null ? text : text + DeathProofText.Judge + judge;
    }
}
