namespace TaskRecovery.Testing;

/// <summary>The crashes that a test has tried.</summary>
/// <param name="Places">The places at which a first crash was tried, in the order in which the worker reaches them.</param>
/// <param name="Trials">How many entries were run, including the one without a crash.</param>
public sealed record CrashReport(IReadOnlyList<Place> Places, int Trials);
