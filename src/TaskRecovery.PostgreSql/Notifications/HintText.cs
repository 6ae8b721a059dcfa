using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>What a notification says: <c>w</c> and the queue's name, <c>o</c>, a sender's mark and the queue's name, or <c>c</c>.</summary>
internal static class HintText
{
    /// <summary>A cancel was requested, or a queue paused or resumed.</summary>
    internal const string Control = "c";

    private const int MarkLength = 8;

    /// <summary>An entry waits in a queue.</summary>
    internal static string Work(string queue) => "w" + queue;

    /// <summary>The same, from a process that has told its own claimers already.</summary>
    internal static string WorkForOthers(string mark, string queue) => "o" + mark + queue;

    /// <summary>What a process marks such hints with.</summary>
    internal static string NewMark() => Guid.NewGuid().ToString("N")[..MarkLength];

    /// <summary>Reads a notification; <see langword="null"/> for one's own, and for one that a later version sent.</summary>
    internal static StoreHint? Read(string payload, string mark) => payload switch
    {
        Control => new StoreHint(StoreHintKind.Control, null),
        ['w', .. var queue] => new StoreHint(StoreHintKind.Work, queue),
        ['o', .. { Length: > MarkLength } rest] when !rest.StartsWith(mark, StringComparison.Ordinal) => new StoreHint(StoreHintKind.Work, rest[MarkLength..]),
        _ => null,
    };
}
