namespace TaskRecovery.Testing.Tests;

/// <summary>Arguments without a kind of their own.</summary>
internal sealed record Numbers(int First, int Count = 1);
