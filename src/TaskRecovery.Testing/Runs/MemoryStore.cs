using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Runs;

/// <summary>What a run needs of a store: the steps and the checkpoint of one entry, in memory. It is no example of a store: see
/// <c>docs/stores.md</c>.</summary>
internal sealed class MemoryStore : IEntryStore
{
    private static readonly StoreTraits Memory =
        new() { System = "memory", UsesSessionLocks = false, LockProvesDeath = false, PollInterval = TimeSpan.FromSeconds(1) };

    private readonly Lock _gate = new();
    private readonly TransactionResult _transactions;
    private Dictionary<string, ReadOnlyMemory<byte>> _steps;
    private ReadOnlyMemory<byte>? _checkpoint;
    private bool _isClaimLost;
    private bool _isLeftOpen;

    public MemoryStore(TransactionResult transactions, IReadOnlyDictionary<string, byte[]> steps, byte[]? checkpoint)
    {
        _transactions = transactions;
        _steps = steps.ToDictionary(static step => step.Key, static step => (ReadOnlyMemory<byte>)step.Value, StringComparer.Ordinal);
        _checkpoint = checkpoint is null ? (ReadOnlyMemory<byte>?)null : checkpoint;
    }

    public StoreTraits Traits => Memory;

    /// <summary>Whether the current run has stored a step or a checkpoint.</summary>
    public bool HasProgressOfRun { get; private set; }

    /// <summary>Whether the store refuses the writes of the current run.</summary>
    public bool IsClaimLost
    {
        get
        {
            lock (_gate)
            {
                return _isClaimLost;
            }
        }
    }

    /// <summary>The transaction in which the current run has written its outcome.</summary>
    public DbTransaction? CompletedIn { get; private set; }

    /// <summary>Whether the outcome that the current run has written in its transaction is stored, once the handler has
    /// returned.</summary>
    public bool IsCommitted => CompletedIn is not null && !_isLeftOpen && _transactions == TransactionResult.Commits;

    public ReadOnlyMemory<byte>? Checkpoint
    {
        get
        {
            lock (_gate)
            {
                return _checkpoint;
            }
        }
    }

    public ReadOnlyMemory<byte>? FindStep(string name)
    {
        lock (_gate)
        {
            return _steps.TryGetValue(name, out var result) ? result : (ReadOnlyMemory<byte>?)null;
        }
    }

    /// <summary>Begins another run under a new claim.</summary>
    public void BeginRun()
    {
        lock (_gate)
        {
            (_isClaimLost, HasProgressOfRun, CompletedIn, _isLeftOpen) = (false, false, null, false);
        }
    }

    /// <summary>Called when the handler has returned, before its scope is disposed, which may end a transaction of it.</summary>
    public void HandlerReturned() => _isLeftOpen = CompletedIn is { } transaction && IsOpen(transaction);

    /// <summary>Refuses the writes of the current run from now on.</summary>
    public void LoseClaim()
    {
        lock (_gate)
        {
            _isClaimLost = true;
        }
    }

    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return new(new StoredProgress(new Dictionary<string, ReadOnlyMemory<byte>>(_steps, StringComparer.Ordinal), _checkpoint));
        }
    }

    public async ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
    {
        var held = new bool[writes.Count];
        for (var i = 0; i < held.Length; i++)
        {
            var write = writes[i];
            held[i] = await Write(() =>
            {
                if (write.Step is { } step)
                {
                    _steps.TryAdd(step, write.Data);
                }
                else
                {
                    _checkpoint = write.Data;
                }
            }).ConfigureAwait(false);
        }

        return held;
    }

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
        => Write(() => (_steps, _checkpoint) = (new(StringComparer.Ordinal), null));

    public ValueTask FinishInTransactionAsync(
        Guid nodeId, RunOutcome outcome, DbTransaction transaction, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            CompletedIn = transaction;
            _isClaimLost |= _transactions == TransactionResult.ClaimLost;
            return _isClaimLost ? throw new ClaimLostException(outcome.EntryId, outcome.Fence) : ValueTask.CompletedTask;
        }
    }

    public ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken) => throw NotOfARun();

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds) => throw NotOfARun();

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken) => throw NotOfARun();

    public ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(
        Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken) => throw NotOfARun();

    public ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken)
        => throw NotOfARun();

    private static NotSupportedException NotOfARun() => new("A test without a store keeps only steps and checkpoints.");

    // Providers differ in what a transaction that has ended returns as its connection, but none returns its isolation level.
    private static bool IsOpen(DbTransaction transaction)
    {
        try
        {
            return transaction.Connection is not null && Enum.IsDefined(transaction.IsolationLevel);
        }
        catch (Exception exception) when (exception is InvalidOperationException or NotSupportedException or NotImplementedException)
        {
            return false;
        }
    }

    private ValueTask<bool> Write(Action write)
    {
        lock (_gate)
        {
            if (_isClaimLost)
            {
                return new(false);
            }

            write();
            HasProgressOfRun = true;
            return new(true);
        }
    }
}
