namespace TaskRecovery.Nodes;

/// <summary>One claim call.</summary>
/// <param name="Lease">The lease under which the call was sent; the claimed entries may start only while it is valid.</param>
/// <param name="Call">The call's number.</param>
/// <param name="HighestFence">The highest claim id known when the call was sent.</param>
internal readonly record struct ClaimTicket(NodeLease Lease, long Call, long HighestFence);
