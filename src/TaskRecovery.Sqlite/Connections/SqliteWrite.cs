namespace TaskRecovery.Sqlite;

/// <summary>A requested write.</summary>
/// <param name="call">The store method that requested it.</param>
/// <param name="kind">How the write is scheduled.</param>
/// <param name="cancellationToken">Cancels the write if it has not begun. A write that has begun is answered with its result.</param>
internal abstract class SqliteWrite(string call, WriteKind kind, CancellationToken cancellationToken)
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int TakenBack = 2;

    private int _state;

    /// <summary>The store method that requested the write.</summary>
    public string Call => call;

    public WriteKind Kind => kind;

    public bool IsRelaxed => kind == WriteKind.Relaxed;

    /// <summary>When the write was requested.</summary>
    public long AddedAt { get; init; } = TimeProvider.System.GetTimestamp();

    /// <summary>Whether the write was cancelled before it began.</summary>
    public bool IsTakenBack => Volatile.Read(ref _state) == TakenBack;

    protected CancellationToken CancellationToken => cancellationToken;

    /// <summary>How long the write has waited since its request, or since a later time.</summary>
    public TimeSpan WaitedSince(long time) => TimeProvider.System.GetElapsedTime(Math.Max(AddedAt, time));

    /// <summary>Marks the write as begun, after which it cannot be cancelled. Returns <see langword="false"/> if it was cancelled
    /// before.</summary>
    public bool TryBegin()
    {
        if (cancellationToken.IsCancellationRequested)
        {
            TakeBack();
        }

        return Interlocked.CompareExchange(ref _state, Begun, Waiting) == Waiting;
    }

    /// <summary>Marks the write as not begun, because its transaction was rolled back and it will run again.</summary>
    public void Again() => Interlocked.CompareExchange(ref _state, Waiting, Begun);

    /// <summary>Cancels the write. Does nothing if it has begun.</summary>
    public void TakeBack()
    {
        if (TryTakeBack())
        {
            Cancelled();
        }
    }

    /// <summary>Runs the write inside the transaction. May be called again after a rollback.</summary>
    public abstract void Run(SqliteSession session);

    /// <summary>Reports success: the transaction has been committed.</summary>
    public abstract void Succeed();

    /// <summary>Reports failure: the write was not stored.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Cancels the write without reporting a result: the caller does that.</summary>
    public bool TryTakeBack() => Interlocked.CompareExchange(ref _state, TakenBack, Waiting) == Waiting;

    /// <summary>Reports that the write was cancelled.</summary>
    protected abstract void Cancelled();
}

/// <summary>How a write is scheduled.</summary>
internal enum WriteKind
{
    /// <summary>Runs in order; on the disk when it is acknowledged.</summary>
    Ordinary,

    /// <summary>Runs in order; need not have reached the disk when it is acknowledged.</summary>
    Relaxed,

    /// <summary>Takes long: ordinary writes run first, but cannot delay it forever.</summary>
    Long,
}

/// <inheritdoc/>
internal sealed class SqliteWrite<T>(string call, Func<SqliteSession, T> work, WriteKind kind, CancellationToken cancellationToken)
    : SqliteWrite(call, kind, cancellationToken)
{
    private static readonly TimeSpan NextAttempt = TimeSpan.FromMilliseconds(50);

    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Answer => _answer.Task;

    /// <summary>Waits for the result. After the limit, cancels the write as soon as it is not running.</summary>
    /// <returns><see langword="false"/> if the write was cancelled: it is never stored.</returns>
    public bool WaitOrTakeBack(TimeSpan limit)
    {
        // A write that has begun can't be cancelled. If its group is rolled back, it waits again, for the write lock of another connection.
        for (var left = limit; Task.WaitAny([Answer], left) < 0; left = NextAttempt)
        {
            if (TryTakeBack())
            {
                return false;
            }
        }

        return true;
    }

    public override void Run(SqliteSession session) => _result = work(session);

    public override void Succeed() => _answer.TrySetResult(_result);

    public override void Fail(Exception exception)
    {
        // Read the exception, so that it is not reported as unobserved if the caller has given up.
        _ = _answer.TrySetException(exception) ? _answer.Task.Exception : null;
    }

    protected override void Cancelled() => _answer.TrySetCanceled(CancellationToken);
}
