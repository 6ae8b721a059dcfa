namespace TaskRecovery.Testing.Hosts;

/// <summary>The time of an application whose test has no clock of its own: that of the queue, so that an entry whose due time the
/// application computes from it is due when the test expects it. Only the timers run in real time. If they stood still, every delay in the
/// application would wait for ever.</summary>
internal sealed class ApplicationClock(TestClock clock) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();
}
