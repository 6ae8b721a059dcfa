namespace TaskRecovery.Testing.Runs;

/// <summary>A run that has ended or crashed.</summary>
/// <param name="Result">How it ended; <see langword="null"/> if it crashed.</param>
/// <param name="Places">The places that it reached; the last is where it crashed.</param>
/// <param name="Handler">The handler, which never ends if the run crashed. While it is referenced, no finalizer of its
/// objects runs.</param>
internal sealed record EndedRun(TestRun? Result, IReadOnlyList<Place> Places, Task Handler);
