namespace TaskRecovery.Chaos;

/// <summary>What the checker found.</summary>
/// <param name="Violations">Broken promises; empty if all were kept.</param>
/// <param name="Outcomes">How entries ended.</param>
/// <param name="Overlaps">Runs of one entry that were active at once.</param>
/// <param name="CutOffs">What nodes ran that were cut off.</param>
/// <param name="Delays">Seconds from harm to running again, by kind of harm.</param>
/// <param name="Vitals">What processes hold at the end.</param>
/// <param name="Runs">How many attempts there were in all.</param>
/// <param name="Lost">What failovers to a standby that lacked commits have lost.</param>
/// <param name="Enqueued">Seconds from a promotion to the first enqueue that returned.</param>
/// <param name="Began">Seconds from a promotion until an entry enqueued after it began.</param>
internal sealed record Findings(
    IReadOnlyList<string> Violations,
    IReadOnlyDictionary<string, int> Outcomes,
    Overlaps Overlaps,
    CutOffs CutOffs,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Delays,
    IReadOnlyList<Vitals> Vitals,
    int Runs,
    LostWindows Lost,
    IReadOnlyList<double> Enqueued,
    IReadOnlyList<double> Began);

/// <summary>Runs of one entry that were active at once.</summary>
/// <param name="Unexpected">After a kill, or in a node that keeps its deadline: must be none.</param>
/// <param name="AfterWaking">In a stopped process after it woke, until its token had stopped the handler.</param>
/// <param name="LongestAfterWaking">The longest of those, in seconds.</param>
/// <param name="Deaf">In handlers that ignore their token, after it had been cancelled.</param>
/// <param name="Slow">In handlers that listen, but took their time after their token had been cancelled: those wait for a connection of
/// their own that is cut off as well.</param>
/// <param name="LongestSlow">The longest of those, in seconds.</param>
internal sealed record Overlaps(int Unexpected, int AfterWaking, double LongestAfterWaking, int Deaf, int Slow, double LongestSlow);
