namespace TaskRecovery.PostgreSql;

/// <summary>Measures how many statements of this process are under way at once, how often they overlap, and how long they take. In an idle
/// process few overlap, so that one connection is enough for all.</summary>
internal sealed class StatementPressure(TimeProvider time)
{
    // An idle node has a few overlaps in five seconds, when several of its loops wake together.
    private const double ManyOverlaps = 16;
    private const double FewOverlaps = 8;

    // About twenty a second. Even short statements would often wait for each other.
    private const double VeryManyOverlaps = 144;

    // One connection executes one statement at a time. If fewer are under way on average, they overlap because each takes long: the server
    // is slow, and more connections would make it slower.
    private const double MuchAtOnce = 0.8;
    private const double LittleAtOnce = 0.4;

    // A statement waits for the connection as long as a few others take. One that is blocked for long does not count for more.
    private const int StatementsToWaitFor = 10;
    private const double ShareOfNewest = 1 / 16.0;

    private static readonly TimeSpan HalfLifeOfOverlaps = TimeSpan.FromSeconds(5);

    // Short, so that a drain that begins has its connections at once.
    private static readonly TimeSpan HalfLife = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestPatience = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private int _running;
    private double _overlaps;
    private double _atOnce;
    private TimeSpan _average;
    private long _at = time.GetTimestamp();
    private bool _isHigh;

    /// <summary>Counts a statement that begins.</summary>
    /// <returns>Whether statements should not wait for each other.</returns>
    internal bool Begin()
    {
        lock (_gate)
        {
            Advance();
            if (_running++ > 0)
            {
                _overlaps++;
            }

            return _isHigh = _isHigh
                ? _overlaps > FewOverlaps && (_atOnce > LittleAtOnce || _overlaps > VeryManyOverlaps / 2)
                : _overlaps > ManyOverlaps && (_atOnce > MuchAtOnce || _overlaps > VeryManyOverlaps);
        }
    }

    /// <summary>Counts a statement that has ended.</summary>
    /// <param name="took">How long it had its connection; <see langword="null"/> if it got none.</param>
    internal void End(TimeSpan? took)
    {
        lock (_gate)
        {
            Advance();
            _running--;
            if (took is { } duration)
            {
                _average += ((duration < LongestPatience ? duration : LongestPatience) - _average) * ShareOfNewest;
            }
        }
    }

    /// <summary>Returns how long a statement should wait for the one connection of the process.</summary>
    /// <param name="least">The time while statements are short.</param>
    internal TimeSpan Patience(TimeSpan least)
    {
        TimeSpan patience;
        lock (_gate)
        {
            patience = _average * StatementsToWaitFor;
        }

        patience = patience < LongestPatience ? patience : LongestPatience;
        return patience > least ? patience : least;
    }

    private void Advance()
    {
        var now = time.GetTimestamp();
        var passed = time.GetElapsedTime(_at, now);
        var kept = Math.Pow(0.5, passed / HalfLife);
        _at = now;
        _atOnce = (_atOnce * kept) + (_running * (1 - kept));
        _overlaps *= Math.Pow(0.5, passed / HalfLifeOfOverlaps);
    }
}
