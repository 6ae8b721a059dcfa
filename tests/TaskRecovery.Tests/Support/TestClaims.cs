using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>Claims without a store.</summary>
internal static class TestClaims
{
    /// <summary>Makes the node hold a claim, as if the store had just answered a claim call.</summary>
    public static NodeClaim Accept(this NodeLease lease, long fence, int entries = 1)
    {
        var claims = lease.Node.Claims;
        Assert.Equal(ClaimAnswer.Accepted, claims.End(
            claims.Begin(lease), new ClaimBatch(false, fence, new ClaimedEntry[entries], null), "default", out var claim));
        return claim!;
    }
}
