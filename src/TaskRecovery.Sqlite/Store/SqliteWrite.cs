namespace TaskRecovery.Sqlite;

/// <summary>A write that was asked for.</summary>
/// <param name="call">Which call of the store asked for it.</param>
/// <param name="kind">How it is to be treated.</param>
/// <param name="cancellationToken">Takes it back as long as it has not begun; one that has begun is answered as it ends.</param>
internal abstract class SqliteWrite(string call, WriteKind kind, CancellationToken cancellationToken)
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int TakenBack = 2;

    private int _state;

    /// <summary>Which call of the store asked for it.</summary>
    public string Call => call;

    public WriteKind Kind => kind;

    public bool IsRelaxed => kind == WriteKind.Relaxed;

    /// <summary>When it was asked for.</summary>
    public long AddedAt { get; } = TimeProvider.System.GetTimestamp();

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsTakenBack => Volatile.Read(ref _state) == TakenBack;

    protected CancellationToken CancellationToken => cancellationToken;

    /// <summary>Whether it is to be done: from now on it cannot be taken back.</summary>
    public bool TryBegin()
    {
        if (cancellationToken.IsCancellationRequested)
        {
            TakeBack();
        }

        return Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting;
    }

    /// <summary>Its transaction was rolled back, and it is to be done again.</summary>
    public void Again() => Interlocked.CompareExchange(ref _state, Waiting, Begun);

    /// <summary>Takes it back. Nothing happens if it has begun.</summary>
    public void TakeBack()
    {
        if (TryTakeBack())
        {
            Cancelled();
        }
    }

    /// <summary>Does it, inside the transaction. May be called again after a rollback.</summary>
    public abstract void Run(SqliteSession session);

    /// <summary>Its transaction has been committed.</summary>
    public abstract void Succeed();

    /// <summary>It was not stored.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Takes it back without an answer: the caller knows.</summary>
    public bool TryTakeBack() => Interlocked.CompareExchange(ref _state, TakenBack, Waiting) == Waiting;

    /// <summary>It was taken back.</summary>
    protected abstract void Cancelled();
}

/// <summary>How a write is to be treated.</summary>
internal enum WriteKind
{
    /// <summary>In its turn, and on the disk when it is acknowledged.</summary>
    Ordinary,

    /// <summary>In its turn. It need not have reached the disk.</summary>
    Relaxed,

    /// <summary>It takes long: ordinary writes go first, though they do not keep it waiting.</summary>
    Long,
}

/// <inheritdoc/>
internal sealed class SqliteWrite<T>(string call, Func<SqliteSession, T> work, WriteKind kind, CancellationToken cancellationToken) : SqliteWrite(call, kind, cancellationToken)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Answer => _answer.Task;

    public override void Run(SqliteSession session) => _result = work(session);

    public override void Succeed() => _answer.TrySetResult(_result);

    public override void Fail(Exception exception)
    {
        // Looked at here, so that it does not surface as unobserved where the caller has given up.
        _ = _answer.TrySetException(exception) ? _answer.Task.Exception : null;
    }

    protected override void Cancelled() => _answer.TrySetCanceled(CancellationToken);
}
