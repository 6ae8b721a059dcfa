namespace TaskRecovery.Hosting;

/// <summary>Wakes the claimers of this process.</summary>
internal interface IClaimWaker
{
    /// <summary>Wakes every claimer. Work may have arrived in any queue and at any position, so each claimer starts at the front of its
    /// queue.</summary>
    void WakeAll();
}
