namespace TaskRecovery.Sqlite;

/// <summary>Limits one part of a long piece of work, by time and by bytes. While a transaction is open, the enqueues, claims and outcomes
/// of every process wait, so the rest of the work needs another transaction.</summary>
internal struct LockBudget()
{
    /// <summary>The longest time that one part takes, without its commit.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromMilliseconds(50);

    // The commit writes these bytes to the log and waits for the disk.
    private const long Bytes = 4 * 1024 * 1024;

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private long _bytes;

    /// <summary>Whether the part may continue.</summary>
    public readonly bool IsLeft => _bytes < Bytes && TimeProvider.System.GetElapsedTime(_started) < Time;

    /// <summary>Counts the bytes that the part has written or deleted.</summary>
    public void Spend(long bytes) => _bytes += bytes;
}
