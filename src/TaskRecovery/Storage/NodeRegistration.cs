using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a registration.</summary>
/// <param name="HoldsLock">Whether this session holds the node's lock.</param>
/// <param name="NameTaken">Whether a live node already has the name. This node is then registered without owning the name: it is still
/// shown with it, but no later node life takes over its work by name.</param>
/// <param name="TakenOver">The earlier node lives of the same name that were marked dead.</param>
[Experimental("TASKRECOVERY001")]
public sealed record NodeRegistration(bool HoldsLock, bool NameTaken, IReadOnlyList<Guid> TakenOver);
