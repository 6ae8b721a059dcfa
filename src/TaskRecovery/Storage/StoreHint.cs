using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>A hint that there is new work or a control change.</summary>
/// <param name="Kind">The subject of the hint.</param>
/// <param name="Queue">For <see cref="StoreHintKind.Work"/>: the queue.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct StoreHint(StoreHintKind Kind, string? Queue);
