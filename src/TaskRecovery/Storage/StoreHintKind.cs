using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The subject of a hint.</summary>
[Experimental("TASKRECOVERY001")]
public enum StoreHintKind
{
    /// <summary>An entry was stored or released.</summary>
    Work = 0,

    /// <summary>A cancellation was requested, or a queue was paused or resumed. The node polls at once.</summary>
    Control = 1,

    /// <summary>The listener has connected or reconnected. Hints may have been missed.</summary>
    Connected = 2,
}
