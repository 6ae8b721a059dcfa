namespace TaskRecovery.Rules;

/// <summary>What each kind of name may be. Every check of a name asks one of these rules.</summary>
/// <remarks>The schema of PostgreSQL has a rule of its own in its store: the limit is that database's.</remarks>
internal static class NameRules
{
    public static readonly NameRule Queue = new(100);
    public static readonly NameRule Kind = new(100) { MayHaveStar = false };
    public static readonly NameRule Job = new(200);
    public static readonly NameRule Node = new(200);
    public static readonly NameRule Step = new(200);
    public static readonly NameRule UniqueKey = new(255) { MayBeBlank = true };
}
