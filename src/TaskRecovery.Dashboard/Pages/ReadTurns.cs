namespace TaskRecovery.Dashboard.Pages;

/// <summary>Lets each user run one read at a time. The few reads that the pages of all users share need no turn. So the reads of a user who
/// asks many different questions wait for each other, and the connections of the read model stay free for other users.</summary>
internal sealed class ReadTurns
{
    /// <summary>The most reads of one user, waiting and running.</summary>
    internal const int MaxOfUser = 10;

    /// <summary>The most reads of all users that run.</summary>
    internal const int MaxRunning = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);
    private int _running;

    /// <summary>Begins a read, which ends when the result is disposed. Waits until the user's earlier reads have ended.</summary>
    /// <exception cref="TooManyReadsException">Too many reads of the user wait, or too many reads of all users run.</exception>
    public async ValueTask<IDisposable> BeginAsync(string user, CancellationToken cancellationToken)
    {
        var line = Join(user);
        try
        {
            await line.Free.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave(user, line);
            throw;
        }

        lock (_lock)
        {
            if (_running < MaxRunning)
            {
                _running++;
                return new Turn(this, user, line);
            }
        }

        line.Free.Release();
        Leave(user, line);
        throw new TooManyReadsException(isOfUser: false);
    }

    private Line Join(string user)
    {
        lock (_lock)
        {
            if (!_lines.TryGetValue(user, out var line))
            {
                line = new Line();
                _lines.Add(user, line);
            }

            if (line.Reads == MaxOfUser)
            {
                throw new TooManyReadsException(isOfUser: true);
            }

            line.Reads++;
            return line;
        }
    }

    private void Leave(string user, Line line)
    {
        lock (_lock)
        {
            if (--line.Reads == 0)
            {
                _lines.Remove(user);
                line.Free.Dispose();
            }
        }
    }

    private void End(string user, Line line)
    {
        lock (_lock)
        {
            _running--;
        }

        line.Free.Release();
        Leave(user, line);
    }

    private sealed class Line
    {
        public SemaphoreSlim Free { get; } = new(1);

        public int Reads { get; set; }
    }

    private sealed class Turn(ReadTurns turns, string user, Line line) : IDisposable
    {
        public void Dispose() => turns.End(user, line);
    }
}
