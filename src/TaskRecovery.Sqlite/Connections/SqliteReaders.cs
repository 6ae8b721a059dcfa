using System.Collections.Concurrent;

namespace TaskRecovery.Sqlite;

/// <summary>A small pool of read-only connections. Each read sees a consistent snapshot of the database.</summary>
internal sealed class SqliteReaders(Func<SqliteSession> open, string file) : IDisposable
{
    private const int MaxReaders = 4;

    private readonly ConcurrentBag<SqliteSession> _idle = [];
    private readonly SemaphoreSlim _free = new(MaxReaders);
    private volatile bool _disposed;

    /// <summary>Reads on a thread-pool thread, because SQLite's calls are synchronous and wait only for the disk.</summary>
    public async ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Read(work), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Reads on the caller's thread, unless all connections are busy: for a read of some microseconds in a loop. Waking another
    /// thread for it would be most of its cost in an idle process.</summary>
    public async ValueTask<T> ReadBrieflyAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_free.Wait(0, CancellationToken.None))
        {
            return await ReadAsync(work, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return Read(work);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Reads on the caller's thread.</summary>
    public T Read<T>(Func<SqliteSession, T> work)
    {
        SqliteSession? session = null;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteReaders));
            session = _idle.TryTake(out var idle) ? idle : open();
            session.Get("begin").Execute();
            var result = work(session);
            session.Commit();
            Keep(session);
            return result;
        }
        catch (Exception exception)
        {
            // Close the connection after a failed read instead of restoring its state; failures are rare.
            session?.Dispose();
            if (SqliteErrors.Translate(exception, file) is var translated && !ReferenceEquals(translated, exception))
            {
                throw translated;
            }

            throw;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var session))
        {
            session.Dispose();
        }
    }

    private void Keep(SqliteSession session)
    {
        _idle.Add(session);
        if (_disposed)
        {
            Dispose();
        }
    }
}
