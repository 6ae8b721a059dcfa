namespace TaskRecovery.Diagnostics;

/// <summary>Knows the handlers that go on although their token fired.</summary>
internal interface IDeafHandlers
{
    /// <summary>Those that have not returned for a while since their token fired.</summary>
    IReadOnlyList<DeafHandler> List();
}

/// <summary>A handler that goes on although its token fired.</summary>
/// <param name="EntryId">The entry it works.</param>
/// <param name="Kind">The entry's kind.</param>
/// <param name="Reason">Why the token fired.</param>
/// <param name="Since">How long ago.</param>
internal readonly record struct DeafHandler(long EntryId, string Kind, StopReason Reason, TimeSpan Since);
