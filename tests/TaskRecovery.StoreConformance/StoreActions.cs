using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>The actions of an operator for tests in which it does not matter who acts.</summary>
public static class StoreActions
{
    private static readonly AuditInfo Test = new("test");

    /// <summary>Cancels an entry. Returns whether the request was stored.</summary>
    public static async ValueTask<bool> CancelAsync(this IOperatorStore store, long entryId, CancellationToken cancellationToken)
        => await store.CancelAsync(entryId, Test, cancellationToken) == OperatorResult.Done;

    /// <summary>Retries an entry now.</summary>
    public static ValueTask<OperatorResult> RetryAsync(
        this IOperatorStore store, long entryId, RetryFrom from, CancellationToken cancellationToken)
        => store.RetryAsync(entryId, new RetryOptions { From = from }, Test, cancellationToken);

    /// <summary>Erases entries.</summary>
    public static ValueTask<int> EraseAsync(this IOperatorStore store, EraseTarget target, CancellationToken cancellationToken)
        => store.EraseAsync(target, Test, cancellationToken);

    /// <summary>Pauses or resumes a queue, which is added to be paused if it is new.</summary>
    public static ValueTask<OperatorResult> SetPausedAsync(
        this IOperatorStore store, string queue, bool paused, CancellationToken cancellationToken)
        => store.SetPausedAsync(PauseTarget.Queue(queue, mayBeNew: true), paused ? new PauseInfo() : null, Test, cancellationToken);

    /// <summary>Pauses a job.</summary>
    public static Task<bool> PauseAsync(this IJobStore store, Guid jobId, PauseInfo pause, CancellationToken cancellationToken)
        => store.PauseAsync(jobId, pause, Test, cancellationToken);

    /// <summary>Resumes a job. Returns whether there is one.</summary>
    public static async Task<bool> ResumeAsync(this IJobStore store, Guid jobId, CancellationToken cancellationToken)
        => await store.ResumeAsync(jobId, Test, cancellationToken) != OperatorResult.NotFound;

    /// <summary>Deletes a job.</summary>
    public static Task<bool> DeleteAsync(this IJobStore store, Guid jobId, CancellationToken cancellationToken)
        => store.DeleteAsync(jobId, Test, cancellationToken);

    /// <summary>Runs a job now.</summary>
    public static Task<long?> TriggerAsync(this IJobStore store, Guid jobId, OverlapPolicy? overlap, CancellationToken cancellationToken)
        => store.TriggerAsync(jobId, overlap, Test, cancellationToken);

    /// <summary>Runs a job for due times of the past.</summary>
    public static Task<int> BackfillAsync(
        this IJobStore store, Guid jobId, IReadOnlyList<DateTimeOffset> dues, CancellationToken cancellationToken)
        => store.BackfillAsync(jobId, dues, Test, cancellationToken);

    /// <summary>Recovers the claims of dead nodes, as a node does.</summary>
    public static ValueTask<RecoveryReport> SweepAsync(this IRecoveryStore store, int maxCrashes, CancellationToken cancellationToken)
        => store.SweepAsync(maxCrashes, audit: null, cancellationToken);

    /// <summary>Repairs tasks, as a node does.</summary>
    public static Task<RecoveryReport> RecoverTasksAsync(
        this IJobStore store, TimeSpan maxAge, int maxCrashes, CancellationToken cancellationToken)
        => store.RecoverTasksAsync(maxAge, maxCrashes, audit: null, cancellationToken);
}
