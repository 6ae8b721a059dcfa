namespace TaskRecovery.Sqlite;

/// <summary>A write that was asked for.</summary>
/// <param name="relaxed">It need not have reached the disk when it is acknowledged.</param>
/// <param name="cancellationToken">Cancels it as long as it has not begun.</param>
internal abstract class SqliteWrite(bool relaxed, CancellationToken cancellationToken)
{
    public bool IsRelaxed => relaxed;

    protected CancellationToken CancellationToken => cancellationToken;

    /// <summary>Whether nobody waits for it any more; says so to whoever did.</summary>
    public abstract bool IsCancelled { get; }

    /// <summary>Does it, inside the transaction. May be called again after a rollback.</summary>
    public abstract void Run(SqliteSession session);

    /// <summary>Its transaction has been committed.</summary>
    public abstract void Succeed();

    /// <summary>It was not stored.</summary>
    public abstract void Fail(Exception exception);
}

/// <inheritdoc/>
internal sealed class SqliteWrite<T>(Func<SqliteSession, T> work, bool relaxed, CancellationToken cancellationToken) : SqliteWrite(relaxed, cancellationToken)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Answer => _answer.Task;

    public override bool IsCancelled => CancellationToken.IsCancellationRequested && _answer.TrySetCanceled(CancellationToken);

    public override void Run(SqliteSession session) => _result = work(session);

    public override void Succeed() => _answer.TrySetResult(_result);

    public override void Fail(Exception exception) => _answer.TrySetException(exception);
}
