namespace TaskRecovery.Dashboard.Security;

/// <summary>What the user of one request may do. Who has none of it does not get one: to see the pages is what having it means.</summary>
/// <param name="Data">May see the application's data.</param>
/// <param name="Search">May search the application's data.</param>
/// <param name="Operate">May act.</param>
/// <param name="User">The user's name, or a name for an anonymous one.</param>
internal sealed record Access(bool Data, bool Search, bool Operate, string User)
{
    /// <summary>The access of someone who may only look.</summary>
    public static Access ToLook { get; } = new(Data: false, Search: false, Operate: false, "");
}
