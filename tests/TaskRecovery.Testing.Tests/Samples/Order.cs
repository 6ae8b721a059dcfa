namespace TaskRecovery.Testing.Tests.Samples;

/// <summary>What a customer sends to the shop.</summary>
public sealed record Order(string Customer);
