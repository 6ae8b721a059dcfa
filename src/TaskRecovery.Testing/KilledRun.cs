namespace TaskRecovery.Testing;

/// <summary>The run that has reached the place at which its node was killed.</summary>
public sealed record KilledRun
{
    /// <summary>The id of the entry.</summary>
    public required long EntryId { get; init; }

    /// <summary>The kind of the entry.</summary>
    public required string Kind { get; init; }

    /// <summary>The queue of the entry.</summary>
    public required string Queue { get; init; }

    /// <summary>The number of the attempt.</summary>
    public required int Attempt { get; init; }
}
