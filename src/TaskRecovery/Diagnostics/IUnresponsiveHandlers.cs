namespace TaskRecovery.Diagnostics;

/// <summary>Knows the handlers that go on although their token was cancelled.</summary>
internal interface IUnresponsiveHandlers
{
    /// <summary>Those that have not returned for a while since their token was cancelled.</summary>
    IReadOnlyList<UnresponsiveHandler> List();
}

/// <summary>A handler that goes on although its token was cancelled.</summary>
/// <param name="EntryId">The entry it works.</param>
/// <param name="Kind">The entry's kind.</param>
/// <param name="Reason">Why the token was cancelled.</param>
/// <param name="Since">How long ago.</param>
internal readonly record struct UnresponsiveHandler(long EntryId, string Kind, StopReason Reason, TimeSpan Since);
