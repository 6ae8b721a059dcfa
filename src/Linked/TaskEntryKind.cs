namespace TaskRecovery.Storage;

/// <summary>The kinds of the entries that run tasks of jobs: <c>task:</c> and the kind of the task.</summary>
internal static class TaskEntryKind
{
    /// <summary>The beginning of these kinds.</summary>
    internal const string Prefix = "task:";

    /// <summary>The kind of the entries that run tasks of a kind.</summary>
    internal static string Of(string taskKind) => Prefix + taskKind;

    /// <summary>Whether entries of a kind run tasks.</summary>
    internal static bool Is(string kind) => kind.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The kind of the tasks that entries of a kind run; for other entries, their own kind.</summary>
    internal static string TaskKindOf(string kind) => Is(kind) ? kind[Prefix.Length..] : kind;
}
