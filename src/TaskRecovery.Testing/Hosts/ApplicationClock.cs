namespace TaskRecovery.Testing.Hosts;

/// <summary>The time of an application whose test has no clock of its own: real time, plus what the test has advanced. If it stood still,
/// every delay in the application would wait for ever.</summary>
internal sealed class ApplicationClock(TestClock clock) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + clock.Advanced;
}
