using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The identity of a node.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record NodeIdentity
{
    /// <summary>A random id, new for each registration.</summary>
    public required Guid Id { get; init; }

    /// <summary>The name of the node.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the application set the name. A name set by the application must not be shared by running processes.</summary>
    public required bool NameIsExplicit { get; init; }

    /// <summary>The machine (see <see cref="LocalProcess.Machine"/>).</summary>
    public required string Machine { get; init; }

    /// <summary>The process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The start time of the process as <see cref="LocalProcess.Started"/> returns it. It distinguishes the process from a later
    /// one with the same id.</summary>
    public required long ProcessStarted { get; init; }

    /// <summary>The versions, queues and kinds of the process as JSON; <see langword="null"/> for none. Shown to operators only.</summary>
    public string? Info { get; init; }
}
