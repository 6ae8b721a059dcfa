namespace TaskRecovery.Tests.Support;

/// <summary>The machine's clock as a process sees it that was stopped: time has passed, and none of its threads knows yet.</summary>
internal sealed class StoppableTimeProvider : TimeProvider
{
    private long _stopped;

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _stopped);

    public void Stop(TimeSpan time) => Interlocked.Add(ref _stopped, (long)(time.TotalSeconds * TimestampFrequency));
}
