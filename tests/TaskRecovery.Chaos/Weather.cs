namespace TaskRecovery.Chaos;

/// <summary>Kinds of harm that go together for a while, so that the figures of one kind are not those of another that happened beside
/// it.</summary>
/// <param name="Name">What it is called in the report.</param>
/// <param name="Lasts">How long, before the next weather.</param>
/// <param name="MeanPause">The mean time from one harm to the next; pauses are exponentially distributed.</param>
/// <param name="MostAtOnce">How many harms that take a while may go on beside each other.</param>
/// <param name="Kinds">What is done, and how often for each time that the others are.</param>
internal sealed record Weather(
    string Name, TimeSpan Lasts, TimeSpan MeanPause, int MostAtOnce, IReadOnlyList<(string Kind, int Times)> Kinds)
{
    public const string Kills = "kills";
    public const string Network = "network";
    public const string Stops = "stops";
    public const string Storm = "storm";
    public const string Restarts = "restarts";
    public const string Failover = "failover";
    public const string File = "file";

    /// <summary>What a store can suffer, in the order in which it comes.</summary>
    public static IReadOnlyList<Weather> For(ChaosOptions options) => options switch
    {
        { Scenario: ChaosScenario.Restarts } => [new(
            Restarts, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(22), 1, [(HarmKinds.ServerRestart, 1)])],
        { Scenario: ChaosScenario.Network } => [Cuts],
        { Scenario: ChaosScenario.Failover } =>
        [
            new(
                Failover, TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(2), 2,
                [(HarmKinds.Failover, 3), (HarmKinds.FailoverWithoutStandby, 1), (HarmKinds.LossyFailover, 1),
                    (HarmKinds.Kill, 4), (HarmKinds.RestartSameName, 2), (HarmKinds.Graceful, 1)]),
        ],
        { IsPostgres: false } =>
        [
            // There is no server beside the processes: they die at twice the rate.
            OnlyKills(Often / 2),
            new(Stops, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(4), 2, [(HarmKinds.Stop, 1)]),

            // Other users of the file: nothing of it may cost a node its lease.
            new(
                File, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(2), 4,
                [(HarmKinds.LongTransaction, 2), (HarmKinds.OldSnapshot, 1),
                    (HarmKinds.Copy, 2), (HarmKinds.Kill, 6), (HarmKinds.RestartSameName, 2)]),
        ],
        _ =>
        [
            // Only processes die: how fast does their work run again?
            OnlyKills(Often),

            Cuts,

            // Everything at once, and what breaks every session at a time.
            new(
                Storm, TimeSpan.FromSeconds(40), Often, 6,
                [
                    (HarmKinds.Kill, 7), (HarmKinds.RestartSameName, 2), (HarmKinds.Graceful, 2), (HarmKinds.Stop, 1),
                    (HarmKinds.ServerRestart, 3), (HarmKinds.KillBackends, 3), (HarmKinds.ConnectionLimit, 3), (HarmKinds.OldSnapshot, 3),
                    (HarmKinds.KillNodeBackends, 3), (HarmKinds.NetworkReset, 3), (HarmKinds.NetworkStall, 3),
                    (HarmKinds.NetworkCut, 1), (HarmKinds.NetworkCutToServer, 1), (HarmKinds.NetworkCutToClient, 1),
                ]),
        ],
    };

    // Only nodes are cut off or stand still: have their tokens were cancelled before others have their work, and when is that? One veteran
    // is left alone, and not all of the others at once: who was cut off has watched nobody meanwhile, and whoever takes over must have
    // watched for a whole lease.
    private static Weather Cuts => new(
        Network, TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(2), 4,
        [(HarmKinds.NetworkCut, 1), (HarmKinds.NetworkCutToServer, 1), (HarmKinds.NetworkCutToClient, 1), (HarmKinds.Stop, 1)]);

    private static TimeSpan Often => TimeSpan.FromSeconds(1.6);

    private static Weather OnlyKills(TimeSpan meanPause)
        => new(Kills, TimeSpan.FromSeconds(100), meanPause, 1, [
            (HarmKinds.Kill, 12), (HarmKinds.RestartSameName, 5), (HarmKinds.Graceful, 3)]);
}
