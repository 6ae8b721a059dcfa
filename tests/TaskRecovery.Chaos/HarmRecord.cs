namespace TaskRecovery.Chaos;

/// <summary>One thing that was done.</summary>
/// <param name="Kind">What.</param>
/// <param name="Worker">To which worker, by its number; 0 for the server or all.</param>
/// <param name="At">When it began, in ticks of the monotonic clock.</param>
/// <param name="Until">When it ended; the same as <paramref name="At"/> for what happens at once.</param>
/// <param name="Weather">In which weather.</param>
/// <param name="Successor">The worker that was started in its place, under the same name; 0 for none.</param>
internal sealed record HarmRecord(string Kind, int Worker, long At, long Until, string Weather, int Successor = 0);

/// <summary>The kinds of harm, and what each does to a process.</summary>
internal static class HarmKinds
{
    public const string Kill = "kill";
    public const string RestartSameName = "restart same name";
    public const string Stop = "stop past the lease";
    public const string Graceful = "graceful stop";
    public const string Start = "start";
    public const string ClockError = "wrong wall clock";
    public const string ServerRestart = "server restart";
    public const string KillBackends = "random backends";
    public const string KillNodeBackends = "all of a node's backends";
    public const string NetworkCut = "network cut";
    public const string NetworkCutToServer = "network cut to server";
    public const string NetworkCutToClient = "network cut from server";
    public const string NetworkReset = "network reset";
    public const string NetworkStall = "network stall";
    public const string OldSnapshot = "old snapshot";
    public const string ConnectionLimit = "connection limit";
    public const string Failover = "failover";
    public const string FailoverWithoutStandby = "failover, standby away first";
    public const string LossyFailover = "failover that lost two seconds";
    public const string LongTransaction = "application's transaction";
    public const string Copy = "copies of the file";
    public const string NoFileLocks = "file locking off";
    public const string End = "end of the run";
    public const string FaultPrefix = "fault ";

    /// <summary>The named points in the library's code at which a process kills itself.</summary>
    public static IReadOnlyList<string> FaultPoints { get; } =
    [
        Storage.FaultPoints.ClaimBeforeCommit, Storage.FaultPoints.ClaimCommitted,
        Storage.FaultPoints.HandlerStarted, Storage.FaultPoints.StepBetween,
        Storage.FaultPoints.HandlerFinished, Storage.FaultPoints.FlushMiddle,
        Storage.FaultPoints.SweepMiddle, Storage.FaultPoints.ShutdownMiddle,
    ];

    /// <summary>Whether this kind kills a process.</summary>
    public static bool Kills(string kind) => kind is Kill or RestartSameName || IsFault(kind);

    /// <summary>Whether a process killed itself at a named point.</summary>
    public static bool IsFault(string kind) => kind.StartsWith(FaultPrefix, StringComparison.Ordinal);

    /// <summary>Whether this kind cuts a node off from the server for longer than its lease.</summary>
    public static bool CutsOff(string kind) => kind is NetworkCut or NetworkCutToServer or NetworkCutToClient;

    /// <summary>Whether the standby becomes the primary.</summary>
    public static bool IsFailover(string kind) => kind is Failover or FailoverWithoutStandby or LossyFailover;

    /// <summary>Whether others take the work over.</summary>
    public static bool TakesWorkAway(string kind) => Kills(kind) || CutsOff(kind) || kind == Stop;
}
