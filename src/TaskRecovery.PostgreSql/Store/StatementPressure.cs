namespace TaskRecovery.PostgreSql;

/// <summary>Measures how often the statements of this process overlap. Few do in an idle process, which needs one connection for
/// all.</summary>
internal sealed class StatementPressure(TimeProvider time)
{
    // An idle node has a few overlaps in five seconds, when several of its loops wake together.
    private const double Many = 16;
    private const double Few = 8;
    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private int _running;
    private double _overlaps;
    private long _at;
    private bool _isHigh;

    /// <summary>Counts a statement that begins.</summary>
    /// <returns>Whether statements should not wait for each other.</returns>
    internal bool Begin()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _overlaps *= Math.Pow(0.5, time.GetElapsedTime(_at, now) / HalfLife);
            _at = now;
            if (_running++ > 0)
            {
                _overlaps++;
            }

            return _isHigh = _overlaps > (_isHigh ? Few : Many);
        }
    }

    /// <summary>Counts a statement that has ended.</summary>
    internal void End()
    {
        lock (_gate)
        {
            _running--;
        }
    }
}
