using TaskRecovery.Storage;

namespace TaskRecovery.Dashboard.Security;

/// <summary>What the user of one request may do. There is one only for a user who may see the pages, so that right has no member.</summary>
/// <param name="Data">May see the application's data.</param>
/// <param name="Search">May search the application's data.</param>
/// <param name="Operate">May act.</param>
/// <param name="User">The user's name, or a name for an anonymous one.</param>
/// <param name="Scope">The part of the system that the user sees; <see langword="null"/> for all.</param>
internal sealed record Access(bool Data, bool Search, bool Operate, string User, EntryScope? Scope = null)
{
    /// <summary>Whether the user sees all entries of each queue that is seen at all, so that what belongs to a queue may be
    /// shown.</summary>
    public bool SeesWholeQueues => Scope is null or { Kinds: null, Metadata: null };

    /// <summary>Whether the user sees all entries of each kind that is seen at all.</summary>
    public bool SeesWholeKinds => Scope is null or { Queues: null, Metadata: null };

    /// <summary>The scope as a text: the same for the same scope, and empty for none.</summary>
    public string ScopeKey { get; } = ScopeText.Of(Scope);

    public bool SeesQueue(string name) => Scope is null || (SeesWholeQueues && Scope.Queues!.Contains(name, StringComparer.Ordinal));

    public bool SeesKind(string name) => Scope is null || (SeesWholeKinds && Scope.Kinds!.Contains(name, StringComparer.Ordinal));

    /// <summary>Whether the user can see any job at all. A job has no metadata, so that a scope by metadata admits none.</summary>
    public bool SeesJobs => Scope is null or { Metadata: null };

    /// <summary>Whether the user sees a job.</summary>
    public bool SeesJob(Job job) => Scope?.Admits(job.Queue, TaskEntryKind.Of(job.Kind), metadata: null) != false;

    /// <summary>Whether the user sees a bulk operation: one that is restricted to the same scope.</summary>
    public bool SeesOperation(BulkOperation operation) => Scope is null || ScopeText.Of(operation.Query?.Scope) == ScopeKey;
}
