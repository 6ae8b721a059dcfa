using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>What a notification says: <c>w</c> and the queue's name, or <c>c</c>.</summary>
internal static class HintText
{
    /// <summary>A cancel was requested, or a queue paused or resumed.</summary>
    internal const string Control = "c";

    /// <summary>An entry waits in a queue.</summary>
    internal static string Work(string queue) => "w" + queue;

    /// <summary>Reads a notification; <see langword="null"/> for one that a later version sent.</summary>
    internal static StoreHint? Read(string payload) => payload switch
    {
        Control => new StoreHint(StoreHintKind.Control, null),
        ['w', .. var queue] => new StoreHint(StoreHintKind.Work, queue),
        _ => null,
    };
}
