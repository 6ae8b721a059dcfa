namespace TaskRecovery.Hosting;

/// <summary>Counts the consecutive failures of one loop, for the <see cref="OutageReporter"/> that created it.</summary>
internal sealed class LoopHealth
{
    // A restart of the database causes one or two failures, so fewer than this are no lasting problem.
    private const int ManyFailures = 3;

    private readonly OutageReporter _reporter;
    private int _failures;

    internal LoopHealth(OutageReporter reporter, string loop)
    {
        _reporter = reporter;
        Loop = loop;
    }

    /// <summary>The loop's name in logs and in the health check.</summary>
    public string Loop { get; }

    /// <summary>How many attempts have failed since the last success. Set under the reporter's lock.</summary>
    public int Failures
    {
        get => Volatile.Read(ref _failures);
        internal set => Volatile.Write(ref _failures, value);
    }

    /// <summary>Whether the last attempts have all failed, several times in a row.</summary>
    public bool KeepsFailing => Failures >= ManyFailures;

    /// <summary>The number of the outage in which the loop has found the store unavailable; 0 if its last attempt did not. Guarded by the
    /// reporter's lock.</summary>
    internal int Outage { get; set; }

    /// <summary>Whether a failure of this loop alone was logged. Guarded by the reporter's lock.</summary>
    internal bool IsReported { get; set; }

    /// <summary>Records a failed attempt.</summary>
    public void Failed(Exception exception) => _reporter.Failed(this, exception);

    /// <summary>Records a successful attempt.</summary>
    public void Succeeded()
    {
        if (Failures > 0)
        {
            _reporter.Succeeded(this);
        }
    }
}
