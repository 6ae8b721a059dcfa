namespace TaskRecovery.PostgreSql;

/// <summary>The columns of a claim's answer (see <see cref="ClaimSql.ClaimAlone"/>). The first row has those of the claim, each other row
/// those of an entry; the rest is null.</summary>
internal static class ClaimColumns
{
    internal const int Id = 0;
    internal const int Level = 1;
    internal const int RunAt = 2;
    internal const int Attempt = 3;
    internal const int Crashes = 4;
    internal const int Kind = 5;
    internal const int Priority = 6;
    internal const int MaxAttempts = 7;
    internal const int CreatedAt = 8;
    internal const int Args = 9;
    internal const int HasKey = 10;
    internal const int Timeout = 11;
    internal const int Metadata = 12;
    internal const int TraceParent = 13;
    internal const int CancelRequested = 14;

    /// <summary>Of the claim: the node's number, null if it is dead.</summary>
    internal const int Node = 15;

    /// <summary>Of the claim: its fence, null if nothing was claimed.</summary>
    internal const int Fence = 16;

    /// <summary>Of the claim: the database's time.</summary>
    internal const int Now = 17;

    /// <summary>Of the claim: how many rows were selected, null if another claimer is active.</summary>
    internal const int Selected = 18;

    /// <summary>Of the claim: the wait until the next entry is due.</summary>
    internal const int NextDue = 19;

    /// <summary>Of the claim: whether entries were left because of their size.</summary>
    internal const int StoppedAtSize = 20;
    internal const int ExpiresAt = 21;
    internal const int FoundById = 22;
}
