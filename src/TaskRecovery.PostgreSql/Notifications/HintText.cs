using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The text of a notification: <c>w</c> and the queue's name, <c>o</c>, the sender's mark and the queue's name, or
/// <c>c</c>.</summary>
internal static class HintText
{
    /// <summary>A cancellation was requested, or a queue was paused or resumed.</summary>
    internal const string Control = "c";

    private const int MarkLength = 8;

    /// <summary>An entry waits in a queue.</summary>
    internal static string Work(string queue) => "w" + queue;

    /// <summary>An entry waits in a queue, and the sender's own claimers are notified already.</summary>
    internal static string WorkForOthers(string mark, string queue) => "o" + mark + queue;

    /// <summary>The mark of a process in such hints.</summary>
    internal static string NewMark() => Guid.NewGuid().ToString("N")[..MarkLength];

    /// <summary>Reads a notification; returns <see langword="null"/> if this process sent it, or if a later version of the library sent it
    /// in an unknown format.</summary>
    internal static StoreHint? Read(string payload, string mark) => payload switch
    {
        Control => new StoreHint(StoreHintKind.Control, null),
        ['w', .. var queue] => new StoreHint(StoreHintKind.Work, queue),
        ['o', .. { Length: > MarkLength } rest]
            when !rest.StartsWith(mark, StringComparison.Ordinal) => new StoreHint(StoreHintKind.Work, rest[MarkLength..]),
        _ => null,
    };
}
