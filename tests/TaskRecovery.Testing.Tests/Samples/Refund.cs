namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>What the shop does not enqueue.</summary>
[JobKind("refund")]
public sealed record Refund(int Order);
