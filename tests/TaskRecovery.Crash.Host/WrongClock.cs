namespace TaskRecovery.Crash.Host;

/// <summary>A wall clock that is wrong by hours. The monotonic clock is the machine's own.</summary>
internal sealed class WrongClock(TimeSpan error) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + error;
}
