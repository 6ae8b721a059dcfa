using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>How serious a finding is.</summary>
[Experimental("TASKRECOVERY001")]
public enum FindingLevel
{
    /// <summary>Nothing is wrong.</summary>
    Ok = 0,

    /// <summary>The queue works, but slower or with less safety than it could, or soon not any more.</summary>
    Warning = 1,

    /// <summary>The queue does not work, or can lose what it has stored.</summary>
    Problem = 2,
}
