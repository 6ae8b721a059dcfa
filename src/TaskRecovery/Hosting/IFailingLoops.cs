namespace TaskRecovery.Hosting;

/// <summary>Lists the loops that keep failing, although the store may answer other calls.</summary>
internal interface IFailingLoops
{
    /// <summary>The names of the loops whose last attempts have all failed, several times in a row.</summary>
    IReadOnlyList<string> ListFailing();
}
