namespace TaskRecovery.Diagnostics;

/// <summary>Knows the loops that keep failing, although the store may answer other calls.</summary>
internal interface IFailingLoops
{
    /// <summary>The names of those that have failed several times in a row.</summary>
    IReadOnlyList<string> ListFailing();
}
