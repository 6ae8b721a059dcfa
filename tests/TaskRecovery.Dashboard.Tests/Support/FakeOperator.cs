namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>Operator actions that are only written down.</summary>
internal sealed class FakeOperator(FakeSystem system) : IQueueOperator
{
    private readonly List<(string Action, AuditInfo Audit)> _done = [];

    private bool _isBusy;

    /// <summary>What was done, and by whom.</summary>
    public IReadOnlyList<(string Action, AuditInfo Audit)> Done
    {
        get
        {
            lock (_done)
            {
                return [.. _done];
            }
        }
    }

    public BulkRequest? Prepared { get; private set; }

    /// <summary>What a preview waits for before it is answered.</summary>
    public Task WhilePreviewing { get; set; } = Task.CompletedTask;

    /// <summary>When the last pause ends by itself.</summary>
    public DateTimeOffset? PausedUntil { get; private set; }

    /// <summary>What the store throws if a refusal is recorded; <see langword="null"/> if it records it.</summary>
    public Exception? RefusalFailure { get; set; }

    /// <summary>What the store throws if something is resumed; <see langword="null"/> if it is resumed.</summary>
    public Exception? ResumeFailure { get; set; }

    /// <summary>An action that the store stores, by its first words, and what it throws instead of confirming it;
    /// <see langword="null"/> if it confirms all.</summary>
    public (string Action, Exception Failure)? Unconfirmed { get; set; }

    /// <summary>What the store throws if the entries of an operation are listed; <see langword="null"/> if they are.</summary>
    public Exception? EntriesFailure { get; set; }

    /// <summary>How often a step of an operation finds that another process is doing it: the operation runs, and has no entries
    /// yet.</summary>
    public int BusySteps { get; set; }

    /// <summary>Called for each such step.</summary>
    public Action? WhenBusy { get; set; }

    /// <summary>The result of the only entry of an operation; <see langword="null"/> if it has more.</summary>
    public OperatorResult? EntryResult { get; set; }

    public OperatorResult Result { get; set; } = OperatorResult.Done;

    public OperationResult OperationResult { get; set; } = OperationResult.Done;

    public ValueTask<OperatorResult> RetryAsync(
        long entryId, AuditInfo audit, RetryOptions? options = null, CancellationToken cancellationToken = default)
        => Note($"retry {entryId}", audit, Result);

    public ValueTask<OperatorResult> CancelAsync(long entryId, AuditInfo audit, CancellationToken cancellationToken = default) => Note(
        $"cancel {entryId}", audit, Result);

    public ValueTask<int> EraseAsync(EraseTarget target, AuditInfo audit, CancellationToken cancellationToken = default)
        => Note($"erase {target}", audit, 1);

    public ValueTask<long?> TriggerJobAsync(
        Guid jobId, AuditInfo audit, OverlapPolicy? overlap = null, CancellationToken cancellationToken = default)
        => Note<long?>($"run {jobId}", audit, 4_711);

    public ValueTask<IReadOnlyList<DateTimeOffset>> PreviewBackfillAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken = default)
        => new((IReadOnlyList<DateTimeOffset>)[]);

    public ValueTask<int> BackfillJobAsync(
        Guid jobId, DateTimeOffset from, DateTimeOffset to, AuditInfo audit, CancellationToken cancellationToken = default)
        => Note($"backfill {jobId}", audit, 1);

    public ValueTask<OperatorResult> DeleteJobAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken = default)
        => Note($"delete {jobId}", audit, Result);

    public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken = default) => new(system.Now);

    public ValueTask<OperatorResult> PauseAsync(
        PauseTarget target, AuditInfo audit, DateTimeOffset? until = null, CancellationToken cancellationToken = default)
    {
        PausedUntil = until;
        return Note($"pause {target}", audit, Result);
    }

    public ValueTask<OperatorResult> ResumeAsync(PauseTarget target, AuditInfo audit, CancellationToken cancellationToken = default)
        => ResumeFailure is { } failure ? throw failure : Note($"resume {target}", audit, Result);

    public ValueTask<RecoveryReport> RecoverAsync(AuditInfo audit, CancellationToken cancellationToken = default)
        => Note("recover", audit, RecoveryReport.Empty);

    public async ValueTask<OperationPreview> PreviewAsync(
        BulkRequest request, AuditInfo audit, CancellationToken cancellationToken = default)
    {
        Prepared = request;
        var preview = await Note($"preview {request.Action}", audit, new OperationPreview
        {
            OperationId = 7,
            Entries = new Count(1),
            Sample = [],
            UpToId = 1_000,
            ExpiresAt = system.Now.AddMinutes(10),
        });
        await WhilePreviewing;
        return preview;
    }

    public ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
        => Operation("start", operationId, audit);

    public async ValueTask<BulkOperation?> ContinueAsync(long operationId, CancellationToken cancellationToken = default)
    {
        _isBusy = BusySteps-- > 0;
        var operation = await FindOperationAsync(operationId, scope: null, cancellationToken);
        if (!_isBusy)
        {
            return operation;
        }

        WhenBusy?.Invoke();
        return operation! with { State = OperationState.Running };
    }

    public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
        => Operation("stop", operationId, audit);

    public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken = default)
        => Operation("undo", operationId, audit);

    public ValueTask<BulkOperation?> FindOperationAsync(
        long operationId, EntryScope? scope = null, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(
            system.Operations.Find(operation => operation.Id == operationId && (scope is null || operation.Query?.Scope == scope)));

    public ValueTask<OperationPage> ListOperationsAsync(OperationQuery query, CancellationToken cancellationToken = default)
    {
        var left = system.Operations
            .Where(one => one.State != OperationState.Prepared && (query.Before is null || one.Id < query.Before))
            .OrderByDescending(static one => one.Id)
            .ToList();
        return ValueTask.FromResult(
            left.Count > query.Limit
                ? new OperationPage(left[..query.Limit], left[query.Limit - 1].Id)
                : new OperationPage(left, null));
    }

    public ValueTask<OperationEntryPage> ListOperationEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken = default)
    {
        if (EntriesFailure is { } failure)
        {
            throw failure;
        }

        if (_isBusy || EntryResult is not null)
        {
            return ValueTask.FromResult(new OperationEntryPage(
                _isBusy ? [] : [new OperationEntry(Prepared!.EntryIds!.Single(), EntryResult!.Value)], null));
        }

        var all = system.Lives.Take(30).Select(
            static (life, index) => new OperationEntry(life.Entry.Id, index % 9 == 4 ? OperatorResult.KeyHeld : OperatorResult.Done));
        return ValueTask.FromResult(
            new OperationEntryPage([.. all.Where(entry => !query.OnlyRefused || entry.Result != OperatorResult.Done)], null));
    }

    public async ValueTask RecordRefusalAsync(string action, AuditInfo audit, CancellationToken cancellationToken = default)
        => await (RefusalFailure is { } failure ? throw failure : Note($"refused: {action}", audit, 0));

    private ValueTask<OperationAnswer> Operation(string verb, long id, AuditInfo audit)
        => Note(
            $"{verb} operation {id}", audit, new OperationAnswer(OperationResult, system.Operations.Find(operation => operation.Id == id)));

    private ValueTask<T> Note<T>(string action, AuditInfo audit, T result)
    {
        lock (_done)
        {
            _done.Add((action, audit));
        }

        if (Unconfirmed is var (unconfirmed, failure) && action.StartsWith(unconfirmed, StringComparison.Ordinal))
        {
            throw failure;
        }

        return ValueTask.FromResult(result);
    }
}
