using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a registration.</summary>
/// <param name="HoldsLock">Whether this session holds the node's lock.</param>
/// <param name="NameTaken">Whether a living node already has the name. This node is then registered without owning the name: it is shown
/// by its id, and no later node takes over its work by name.</param>
/// <param name="TakenOver">The earlier nodes of the same name that were marked dead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NodeRegistration(bool HoldsLock, bool NameTaken, IReadOnlyList<Guid> TakenOver);
