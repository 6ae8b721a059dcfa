namespace TaskRecovery.Storage;

/// <summary>The error of an entry that ends as a crash loop, in parts, because PostgreSQL puts them together in its statement.</summary>
internal static class CrashLoopText
{
    /// <summary>Comes after the number of crashes and before the name of the last node.</summary>
    public const string Died = " nodes died while they held this entry, which made no progress; in the last one (";

    /// <summary>Comes after the name of the last node.</summary>
    public const string WasAlone = ") it was the only suspect.";

    public static string Of(int crashes, string node) => $"{crashes}{Died}{node}{WasAlone}";
}
