namespace TaskRecovery.Chaos;

/// <summary>One thing that was done.</summary>
/// <param name="Kind">What.</param>
/// <param name="ProcessId">To which process; 0 for the server or all.</param>
/// <param name="At">When it began, in ticks of the monotonic clock.</param>
/// <param name="Until">When it ended; the same as <paramref name="At"/> for what happens at once.</param>
internal sealed record HarmRecord(string Kind, int ProcessId, long At, long Until);

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
    public const string End = "end of the run";
    public const string FaultPrefix = "fault ";

    /// <summary>The named points in the library's code at which a process kills itself.</summary>
    public static IReadOnlyList<string> FaultPoints { get; } =
    [
        "claim.before_commit", "claim.committed", "handler.started", "step.between", "handler.finished", "flush.middle", "sweep.middle", "shutdown.middle",
    ];

    /// <summary>Whether this kind kills a process.</summary>
    public static bool Kills(string kind) => kind is Kill or RestartSameName || kind.StartsWith(FaultPrefix, StringComparison.Ordinal);
}
