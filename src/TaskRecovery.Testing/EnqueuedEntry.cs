namespace TaskRecovery.Testing;

/// <summary>An entry of the queue, with its arguments.</summary>
/// <typeparam name="TArgs">The arguments type of the kind.</typeparam>
/// <param name="Args">The arguments.</param>
/// <param name="Entry">The entry.</param>
public sealed record EnqueuedEntry<TArgs>(TArgs Args, QueueEntry Entry)
    where TArgs : notnull;
