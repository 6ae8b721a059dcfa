using System.Reflection;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The time of the queue under test. It moves only when a test advances it, unless the test has a clock of its own.</summary>
internal sealed class TestClock : TimeProvider
{
    // The smallest step that reaches a stored time, which has microseconds.
    private static readonly TimeSpan LeastStep = TimeSpan.FromMicroseconds(1);

    private readonly TimeProvider? _own;
    private readonly MethodInfo? _advance;
    private long _utcTicks;

    /// <param name="own">The test's own clock, such as a <c>FakeTimeProvider</c>; <see langword="null"/> if it has none.</param>
    public TestClock(TimeProvider? own)
    {
        _own = own;
        _advance = own?.GetType().GetMethod("Advance", [typeof(TimeSpan)]);
        _utcTicks = Present();
    }

    public override DateTimeOffset GetUtcNow() => _own?.GetUtcNow() ?? new DateTimeOffset(Interlocked.Read(ref _utcTicks), TimeSpan.Zero);

    /// <summary>Returns to the present. A clock of the test's own stays as it is.</summary>
    public void Reset() => Interlocked.Exchange(ref _utcTicks, Present());

    /// <summary>Advances the time, by at least the smallest step that reaches a stored time.</summary>
    /// <exception cref="InvalidOperationException">The test's own clock can't be advanced.</exception>
    public void Advance(TimeSpan by)
    {
        by = by > LeastStep ? by : LeastStep;
        if (_own is null)
        {
            Interlocked.Add(ref _utcTicks, by.Ticks);
        }
        else if (_advance is not null)
        {
            _advance.Invoke(_own, [by]);
        }
        else
        {
            throw new InvalidOperationException(
                $"The application's TimeProvider is a {_own.GetType()}, which has no method Advance(TimeSpan), so a test can't move its "
                + $"time. Set {nameof(TaskRecoveryTestingOptions)}.{nameof(TaskRecoveryTestingOptions.Time)} to a FakeTimeProvider, "
                + "or register none.");
        }
    }

    // Stored times are rounded up to microseconds, and an entry that is due now must not be due later.
    private static long Present()
    {
        var now = System.GetUtcNow().UtcTicks;
        return now - (now % TimeSpan.TicksPerMicrosecond);
    }
}
