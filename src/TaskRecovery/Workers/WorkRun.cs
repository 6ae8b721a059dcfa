using System.Data.Common;
using System.Text.Json;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>One attempt of one entry: the state behind its context, why its token was cancelled, and how it is to end.</summary>
internal sealed partial class WorkRun(ClaimedEntry entry, NodeClaim claim, WorkedKind kind, RunServices shared)
{
    private const int Ended = -1;

    private IServiceProvider? _services;
    private IReadOnlyDictionary<string, string>? _metadata;
    private RunProgress? _progress;
    private RunReports? _reports;
    private string? _currentStep;
    private long _progressAt;
    private int _state;
    private int _outcomeTaken;

    public ClaimedEntry Entry { get; } = entry;

    public NodeClaim Claim { get; } = claim;

    public BoundKind Kind { get; } = kind.Kind;

    public KindRunner Runner { get; } = kind.Runner;

    /// <summary>What the kind has begun before a slot was free; <see langword="null"/> if nothing.</summary>
    public EarlyStart? Early { get; init; }

    public long Fence => Claim.Fence;

    public string Queue => Claim.Queue;

    /// <summary>The name of the instance that runs the entry; <see langword="null"/> for the one without a name.</summary>
    public string? Instance => shared.Instance;

    public Guid NodeId => Claim.Lease.NodeId;

    /// <summary>The task that the entry runs; <see langword="null"/> until it is known, or if there is none. Steps and checkpoints then
    /// belong to the task.</summary>
    public Guid? TaskId { get; set; }

    /// <summary>Whether this run has created the task, so that nothing is stored for it yet.</summary>
    public bool IsNewTask { get; set; }

    /// <summary>Whether the store has answered the start of the task. Until then, or if there was no answer, the start may still be under
    /// way.</summary>
    public bool IsStartAnswered { get; set; }

    /// <summary>The context that the worker received; <see langword="null"/> before that.</summary>
    public WorkContext? Context { get; set; }

    /// <summary>The worker or task handler that runs; <see langword="null"/> until it was created. It also chooses the delay of the next
    /// attempt, because it knows what it has seen.</summary>
    public object? Handler { get; set; }

    /// <summary>The services of this attempt's scope.</summary>
    public IServiceProvider Services
    {
        get => _services ?? throw new InvalidOperationException($"Entry {Entry.Id} has no scope: it has not started.");
        set => _services = value;
    }

    /// <summary>Whether a scope was created for this attempt.</summary>
    public bool HasScope => _services is not null;

    public IReadOnlyDictionary<string, string> Metadata => _metadata ??= EntryMetadata.Read(Entry.Metadata);

    /// <summary>The first reason for which the token was cancelled.</summary>
    public StopReason StopReason => Volatile.Read(ref _state) is var state and > 0 ? (StopReason)state : StopReason.None;

    /// <summary>The outcome requested for a normal return of the worker; <see langword="null"/> means completed.</summary>
    public RequestedOutcome? EndRequest { get; private set; }

    /// <summary>The result as JSON; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Result { get; private set; }

    /// <summary>Whether earlier runs may have stored steps or a checkpoint. Those of a task may come from another entry, and what is stored
    /// for the entry does not belong to its task.</summary>
    public bool MayHaveProgress => TaskId is null ? !Entry.IsFirstRun : !IsNewTask;

    /// <summary>The steps and the checkpoint.</summary>
    public RunProgress Progress => LazyInitializer.EnsureInitialized(ref _progress, () => new RunProgress(this, shared));

    /// <summary>The progress that the handler reports.</summary>
    public RunReports Reports => LazyInitializer.EnsureInitialized(ref _reports, () => new RunReports(this, shared));

    /// <summary>The step that the handler is in; <see langword="null"/> if it is in none.</summary>
    public string? CurrentStep
    {
        get => Volatile.Read(ref _currentStep);
        set => Volatile.Write(ref _currentStep, value);
    }

    /// <summary>The time since the last stored step or checkpoint of this run, or since its start.</summary>
    public TimeSpan SinceProgress => Volatile.Read(ref _progressAt) is var at and not 0 ? shared.Time.GetElapsedTime(at) : TimeSpan.Zero;

    /// <summary>Called when the run starts, and when a step or checkpoint is stored.</summary>
    public void MadeProgress() => Volatile.Write(ref _progressAt, shared.Time.GetTimestamp());

    /// <summary>Whether the outcome was written in the worker's own transaction, so that its commit decides.</summary>
    public bool CompletedInTransaction { get; private set; }

    /// <summary>The outcome, once the handler has returned; <see langword="null"/> before that, or if the store has refused this
    /// claim.</summary>
    public RunOutcome? Outcome { get; private set; }

    /// <summary>Decides the outcome.</summary>
    public void HandlerReturned(Exception? exception)
    {
        HasReturned = true;
        Outcome = OutcomePolicy.Decide(this, exception);
    }

    /// <summary>Sets how the run ends when the worker returns normally. The last call wins.</summary>
    public void End(OutcomeKind kind, string? reason, string? error = null, TimeSpan delay = default)
        => EndRequest = new RequestedOutcome(kind, reason, error, delay);

    /// <summary>Acquires the right to report the outcome. Succeeds once: for the executor, or for a shutdown that no longer waits for the
    /// run.</summary>
    public bool TryTakeOutcome() => Interlocked.Exchange(ref _outcomeTaken, 1) == 0;

    public void SetResult<T>(T result) => Result = WriteJson(result, "The result");

    public void Snooze(TimeSpan delay)
    {
        if (delay < TimeSpan.Zero || delay > EntryLimits.LongestDelay)
        {
            throw new ArgumentOutOfRangeException(nameof(delay), delay, $"Use zero to {EntryLimits.LongestDelay}.");
        }

        End(OutcomeKind.Snoozed, reason: null, delay: delay);
    }

    public void Cancel(string why)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(why);
        End(OutcomeKind.Cancelled, EndReasons.CancelledByWorker, why);
    }

    public void Fail(string error)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(error);
        End(OutcomeKind.Failed, EndReasons.FailedForGood, error);
    }

    // Not async, so that the AsyncLocal reaches the caller's flow (OwnTransaction).
    public Task CompleteAsync(DbTransaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        shared.Own.Passed(transaction);
        return CompleteInAsync(transaction, cancellationToken);
    }

    private async Task CompleteInAsync(DbTransaction transaction, CancellationToken cancellationToken)
    {
        ThrowIfFenced();
        await ReachAsync(RunPlace.CompleteBegins).ConfigureAwait(false);
        CompletedInTransaction = true;
        var outcome = new RunOutcome
        {
            EntryId = Entry.Id,
            Fence = Fence,
            Kind = OutcomeKind.Completed,
            Result = Result,
            Duration = Duration,
            HasUniqueKey = Entry.HasUniqueKey,
            IsTask = Kind.Registration.IsTask,
            IsStartAnswered = IsStartAnswered,
        };
        try
        {
            await shared.Store.FinishInTransactionAsync(NodeId, outcome, transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (ClaimLostException exception)
        {
            throw EndAsLost(exception);
        }
        catch (StoreConfigurationException exception)
        {
            exception.Store = shared.Store;
            throw;
        }

        await ReachAsync(RunPlace.CompleteWritten).ConfigureAwait(false);
    }

    /// <summary>Reports a place that this run has reached, and waits if the run is to end there.</summary>
    public ValueTask ReachAsync(RunPlace place, string? step = null)
        => shared.Observer is { } observer ? new ValueTask(observer.ReachAsync(this, place, step)) : default;

    /// <summary>Reports how this run has ended.</summary>
    public void ReportEnd(OutcomeKind kind, Exception? exception) => shared.Observer?.Ended(this, kind, exception);

    /// <summary>Serializes a value to store, checks its size and its characters, and encodes it with the kind's codec.</summary>
    public byte[] WriteJson<T>(T value, string what)
    {
        var json = shared.Json.Write(value);
        if (json.Length > shared.MaxResultBytes)
        {
            throw new ArgumentException(
                $"{what} of entry {Entry.Id} has {json.Length:N0} bytes of JSON, and {nameof(TaskRecoveryOptions.MaxResultBytes)} "
                + $"is {shared.MaxResultBytes:N0}: store large data elsewhere and keep its key, or raise the limit.",
                nameof(value));
        }

        if (EntryText.HasEscapedNul(json))
        {
            throw new JsonException($"{what} of entry {Entry.Id} has a NUL character, which databases can't store as text. Remove it.");
        }

        return PayloadCodecs.Encode(Kind.Codec, json);
    }
}

/// <summary>How a run is to end.</summary>
internal sealed record RequestedOutcome(OutcomeKind Kind, string? Reason, string? Error, TimeSpan Delay);

/// <summary>The services and settings that all runs of one host share.</summary>
internal sealed record RunServices(
    IEntryStore Store, ProgressWriter Progress, EntryJson Json, OwnTransaction Own, TimeProvider Time, int MaxResultBytes,
    CancellationToken Stopping, IRunObserver? Observer = null)
{
    /// <summary>Stores what runs say of themselves; <see langword="null"/> if the store can't.</summary>
    public IRunInfoStore? Info { get; init; }

    /// <summary>The name of the instance; <see langword="null"/> for the one without a name.</summary>
    public string? Instance { get; init; }
}
