namespace TaskRecovery.Hosting;

/// <summary>Lists the handlers that keep running although their token was cancelled.</summary>
internal interface IUnresponsiveHandlers
{
    /// <summary>The handlers whose token was cancelled more than a few seconds ago and that have not returned.</summary>
    IReadOnlyList<UnresponsiveHandler> List();
}

/// <summary>A handler that keeps running although its token was cancelled.</summary>
/// <param name="EntryId">The entry that it runs.</param>
/// <param name="Kind">The entry's kind.</param>
/// <param name="Reason">Why the token was cancelled.</param>
/// <param name="Since">How long ago the token was cancelled.</param>
internal readonly record struct UnresponsiveHandler(long EntryId, string Kind, StopReason Reason, TimeSpan Since);
