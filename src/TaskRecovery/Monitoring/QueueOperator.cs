using TaskRecovery.Jobs;
using TaskRecovery.Queue;
using TaskRecovery.Recovery;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>The public actions of an operator: checks the requests, passes them to the store and wakes this process's claimers.</summary>
internal sealed class QueueOperator(
    IOperationStore store, IOperatorStore entries, IJobStore jobs, IMonitorStore monitor,
    TaskRecoverer recoverer, ClaimWaker claimers, OwnTransaction own, OperationSignal signal)
    : IQueueOperator
{
    private const int SampleSize = 10;
    private const int MaxAction = 2_000;

    private static readonly TimeSpan PreviewTime = TimeSpan.FromMinutes(10);

    public async ValueTask<OperatorResult> RetryAsync(
        long entryId, AuditInfo audit, RetryOptions? options = null, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        options ??= new RetryOptions();
        OperationRules.Check(options);
        own.Refuse(nameof(RetryAsync));
        var result = await entries.RetryAsync(entryId, options, audit, cancellationToken).ConfigureAwait(false);
        if (result == OperatorResult.Done)
        {
            claimers.WakeAll();
        }

        return result;
    }

    public async ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(CancelAsync));
        var result = await entries.CancelAsync(entryId, audit, cancellationToken).ConfigureAwait(false);
        if (result == OperatorResult.Done)
        {
            claimers.PollNow();
        }

        return result;
    }

    public async ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        OperationRules.Check(audit);
        own.Refuse(nameof(EraseAsync));
        var erased = await entries.EraseAsync(target, audit, cancellationToken).ConfigureAwait(false);
        if (erased > 0)
        {
            claimers.PollNow();
        }

        return erased;
    }

    public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken = default) => store.GetTimeAsync(cancellationToken);

    public async ValueTask<OperatorResult> PauseAsync(
        PauseTarget target, AuditInfo audit, DateTimeOffset? until = null, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(target, audit);
        OperationRules.CheckUntil(until);
        own.Refuse(nameof(PauseAsync));
        var pause = new PauseInfo { Actor = audit.Actor, Reason = audit.Reason, Until = until };
        if (target.JobId is { } job)
        {
            return await jobs.PauseAsync(job, pause, audit, cancellationToken).ConfigureAwait(false) ? OperatorResult.Done
                : await jobs.FindAsync(job, cancellationToken).ConfigureAwait(false) is null ? OperatorResult.NotFound
                : OperatorResult.AlreadyEnded;
        }

        return await SetPausedAsync(target, pause, audit, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<OperatorResult> ResumeAsync(PauseTarget target, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(target, audit);
        own.Refuse(nameof(ResumeAsync));
        return target.JobId is { } job
            ? await ResumeJobAsync(job, audit, cancellationToken).ConfigureAwait(false)
            : await SetPausedAsync(target, null, audit, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<long?> TriggerJobAsync(
        Guid jobId, AuditInfo audit, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        if (overlap is { } policy)
        {
            QueryRules.CheckDefined(policy, nameof(overlap));
        }

        AmbientTransaction.Refuse(nameof(TriggerJobAsync), "Call it after the scope, or in a scope with TransactionScopeOption.Suppress.");
        own.Refuse(nameof(TriggerJobAsync));
        return await jobs.TriggerAsync(jobId, overlap, audit, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<DateTimeOffset>> PreviewBackfillAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
        => await BackfillTimes.FindAsync(jobs, jobId, from, to, cancellationToken).ConfigureAwait(false);

    public async ValueTask<int> BackfillJobAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        AmbientTransaction.Refuse(nameof(BackfillJobAsync), "Call it after the scope, or in a scope with TransactionScopeOption.Suppress.");
        own.Refuse(nameof(BackfillJobAsync));
        var dues = await BackfillTimes.FindAsync(jobs, jobId, from, to, cancellationToken).ConfigureAwait(false);
        return dues.Count == 0 ? 0 : await jobs.BackfillAsync(jobId, dues, audit, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<OperatorResult> DeleteJobAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(DeleteJobAsync));
        return Found(await jobs.DeleteAsync(jobId, audit, cancellationToken).ConfigureAwait(false));
    }

    public async ValueTask<RecoveryReport> RecoverAsync(AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(RecoverAsync));
        return await recoverer.RecoverOnceAsync(audit, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<OperationPreview> PreviewAsync(
        BulkRequest request, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        var query = OperationRules.Check(request);
        own.Refuse(nameof(PreviewAsync));

        // Read first: what is stored during the count is neither counted nor changed.
        var last = await store.FindLastEntryAsync(cancellationToken).ConfigureAwait(false);
        var (expected, sample) = query is null
            ? await SampleAsync(request.EntryIds!, request.Scope, cancellationToken).ConfigureAwait(false)
            : await SampleAsync(query, last, cancellationToken).ConfigureAwait(false);
        var operation = await store.PrepareAsync(
            new NewOperation
            {
                Action = request.Action,
                Query = query ?? (request.Scope is { } scope ? new EntryQuery { Scope = scope } : null),
                EntryIds = request.EntryIds?.Distinct().ToArray(),
                Retry = request.Action == BulkAction.Retry ? request.Retry ?? new RetryOptions() : null,
                UpToId = last,
                Expected = expected,
            },
            audit,
            cancellationToken).ConfigureAwait(false);
        return new OperationPreview
        {
            OperationId = operation.Id,
            Entries = expected,
            Sample = sample,
            UpToId = operation.UpToId,
            ExpiresAt = operation.CreatedAt + PreviewTime,
        };
    }

    public async ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(StartAsync));
        return Started(await store.StartAsync(operationId, audit, PreviewTime, cancellationToken).ConfigureAwait(false));
    }

    public async ValueTask<BulkOperation?> ContinueAsync(long operationId, CancellationToken cancellationToken = default)
    {
        own.Refuse(nameof(ContinueAsync));
        var step = await store.StepAsync(operationId, cancellationToken).ConfigureAwait(false);
        if (step.Worked)
        {
            claimers.PollNow();
            claimers.WakeAll();
        }

        return step.Operation;
    }

    public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(StopAsync));
        return store.StopAsync(operationId, audit, cancellationToken);
    }

    public async ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        OperationRules.Check(audit);
        own.Refuse(nameof(UndoAsync));
        return Started(await store.UndoAsync(operationId, audit, cancellationToken).ConfigureAwait(false));
    }

    public ValueTask<BulkOperation?> FindOperationAsync(
        long operationId, EntryScope? scope = null, CancellationToken cancellationToken = default)
    {
        QueryRules.Check(scope);
        return store.FindAsync(operationId, scope, cancellationToken);
    }

    public ValueTask<OperationPage> ListOperationsAsync(OperationQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        QueryRules.CheckPage(query.Limit);
        return store.ListAsync(query, cancellationToken);
    }

    public ValueTask<OperationEntryPage> ListOperationEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        QueryRules.CheckPage(query.Limit);
        return store.ListEntriesAsync(query, cancellationToken);
    }

    public ValueTask RecordRefusalAsync(string action, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(action);
        OperationRules.Check(audit);
        own.Refuse(nameof(RecordRefusalAsync));

        // The text comes from the request that was refused. It is made storable instead of being refused too, so that no text hides an
        // attempt.
        return store.RecordAsync(
            QueueEventKind.Refused, EntryText.Storable(EntryText.Shown(action), MaxAction - 4), audit, cancellationToken);
    }

    private OperationAnswer Started(OperationAnswer answer)
    {
        if (answer.Result == OperationResult.Done)
        {
            signal.Started.Set();
        }

        return answer;
    }

    private async ValueTask<OperatorResult> SetPausedAsync(
        PauseTarget target, PauseInfo? pause, AuditInfo audit, CancellationToken cancellationToken)
    {
        var result = await entries.SetPausedAsync(target, pause, audit, cancellationToken).ConfigureAwait(false);
        if (result == OperatorResult.Done)
        {
            claimers.PollNow();
            claimers.WakeAll();
        }

        return result;
    }

    private async ValueTask<OperatorResult> ResumeJobAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
    {
        try
        {
            return await jobs.ResumeAsync(jobId, audit, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            var job = await jobs.FindAsync(jobId, cancellationToken).ConfigureAwait(false);
            throw JobTimes.Unplannable(job?.Name ?? jobId.ToString(), exception);
        }
    }

    private static OperatorResult Found(bool found) => found ? OperatorResult.Done : OperatorResult.NotFound;

    private async ValueTask<(Count Expected, IReadOnlyList<EntrySummary> Sample)> SampleAsync(
        EntryQuery query, long last, CancellationToken cancellationToken)
    {
        // A standby may not have yet what the operation will change.
        var current = monitor.Current;
        var stored = query with { Before = last + 1 };
        var groups = await current.GroupAsync(stored, EntryGrouping.State, cancellationToken).ConfigureAwait(false);

        // Only a first page contains the holder of a unique key.
        var first = query.UniqueKey is null ? stored : query;
        var page = await current.ListAsync(first with { Limit = SampleSize }, cancellationToken).ConfigureAwait(false);
        return (
            new Count(
                groups.Groups.Sum(static group => group.Entries.Value),
                groups.IsComplete ? CountPrecision.Exact : CountPrecision.AtLeast),
            [.. page.Entries.Where(entry => entry.Id <= last)]);
    }

    private async ValueTask<(Count Expected, IReadOnlyList<EntrySummary> Sample)> SampleAsync(
        IReadOnlyCollection<long> ids, EntryScope? scope, CancellationToken cancellationToken)
    {
        var sample = new List<EntrySummary>();
        long[] distinct = [.. ids.Distinct().OrderDescending()];
        foreach (var id in distinct.Take(SampleSize))
        {
            if (await entries.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } entry
                && scope?.Admits(entry.Queue, entry.Kind, entry.Metadata) != false)
            {
                sample.Add(EntrySummaries.Of(entry));
            }
        }

        return (new Count(distinct.Length), sample);
    }
}
