namespace TaskRecovery;

/// <summary>Settings for the recovery of dead nodes' work.</summary>
public sealed class RecoveryOptions
{
    /// <summary>How many nodes may die while they hold the same entry. One more crash, with no other suspect entry in the node, ends the
    /// entry as failed with the reason <c>crash_loop</c>.</summary>
    /// <value>Default: 3. 1 to 10.</value>
    public int MaxCrashes { get; set; } = 3;

    /// <summary>The maximum age of an unfinished task that recovery runs again. If an older task has no entry, it is closed with the reason
    /// <c>too_old</c>.</summary>
    /// <value>Default: 7 days. 1 second to 36,500 days.</value>
    public TimeSpan MaxRecoveryAge { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The interval at which a node looks for the work of dead nodes even if it has seen no node die, and for claims whose
    /// answer was lost. From 20 nodes on, each node looks for the work of dead nodes more rarely, and all of them together more often. On
    /// SQLite a node that has found no work of dead nodes waits for 10 seconds if the interval is shorter, or for 12 intervals if these are
    /// shorter than that, because its heartbeats report what dead nodes left. A node without claims that has found no lost answer waits for
    /// 10 seconds if the interval is shorter, because a call whose answer is lost starts the search at once.</summary>
    /// <value>Default: 5 seconds. 100 milliseconds to 1 hour.</value>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(5);
}
