using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Hints within the process. Other processes see a change when they poll.</summary>
internal sealed class SqliteHints
{
    private readonly Lock _lock = new();
    private Action<StoreHint>[] _listeners = [];

    /// <summary>Tells every listener.</summary>
    public void Send(StoreHint hint)
    {
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            listener(hint);
        }
    }

    public void Work(string queue) => Send(new StoreHint(StoreHintKind.Work, queue));

    public void Control() => Send(new StoreHint(StoreHintKind.Control, null));

    /// <summary>Tells a listener from now on, until cancelled.</summary>
    public async Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _listeners = [.. _listeners, onHint];
        }

        try
        {
            onHint(new StoreHint(StoreHintKind.Connected, null));
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _listeners = [.. _listeners.Where(listener => listener != onHint)];
            }
        }
    }
}
