namespace TaskRecovery.Hosting;

/// <summary>A loop that stores what running entries leave in memory. The host may stop such a loop while entries still run, or dispose it
/// without a stop, so the last entry is followed by one more round.</summary>
internal interface ILastRound
{
    /// <summary>Stores what was collected since the last round, for at most two seconds. Errors of the store are ignored.</summary>
    Task RunLastRoundAsync(CancellationToken cancellationToken);
}
