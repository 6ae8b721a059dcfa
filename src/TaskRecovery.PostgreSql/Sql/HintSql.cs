namespace TaskRecovery.PostgreSql;

/// <summary>Hints that there is something to do. Nothing depends on one arriving.</summary>
internal static class HintSql
{
    /// <summary>Sends hints. $1 the channel, $2 what to say.</summary>
    internal const string Send = "select pg_notify($1, n.word) from unnest($2) n(word)";
}
