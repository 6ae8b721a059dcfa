namespace TaskRecovery.PostgreSql;

/// <summary>What a row of a poll's answer reports (see <see cref="PollSql.Poll"/>): the number in its first column.</summary>
internal static class PollRows
{
    /// <summary>A queue with due work. The second column is its name.</summary>
    internal const int DueQueue = 0;

    /// <summary>The fourth column is the wait until the next entry is due, null if there is none.</summary>
    internal const int NextDue = 1;

    /// <summary>A cancel request. The third column is its entry.</summary>
    internal const int CancelRequest = 2;

    /// <summary>The number of a kind no longer belongs to its name.</summary>
    internal const int WrongNumber = 3;

    /// <summary>A kind that is paused. The third column is its number.</summary>
    internal const int PausedKind = 4;
}
