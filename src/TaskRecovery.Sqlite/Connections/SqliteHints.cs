using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Sends hints within the process. <see cref="ChangeWatcher"/> detects the commits of other processes.</summary>
internal sealed class SqliteHints
{
    private readonly Lock _lock = new();
    private Action<StoreHint>[] _listeners = [];

    /// <summary>Calls every listener.</summary>
    public void Send(StoreHint hint)
    {
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            listener(hint);
        }
    }

    public void Work(string queue) => Send(new StoreHint(StoreHintKind.Work, queue));

    public void Control() => Send(new StoreHint(StoreHintKind.Control, null));

    /// <summary>Adds a listener until the result is disposed.</summary>
    public IDisposable Listen(Action<StoreHint> onHint)
    {
        lock (_lock)
        {
            _listeners = [.. _listeners, onHint];
        }

        onHint(new StoreHint(StoreHintKind.Connected, null));
        return new Listening(this, onHint);
    }

    private void Remove(Action<StoreHint> onHint)
    {
        lock (_lock)
        {
            _listeners = [.. _listeners.Where(listener => listener != onHint)];
        }
    }

    private sealed class Listening(SqliteHints hints, Action<StoreHint> onHint) : IDisposable
    {
        public void Dispose() => hints.Remove(onHint);
    }
}
