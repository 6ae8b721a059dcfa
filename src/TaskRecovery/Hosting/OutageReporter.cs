using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;

namespace TaskRecovery.Hosting;

/// <summary>Counts a loop's consecutive failures. Logs once when the store becomes unavailable, and once when it is available
/// again.</summary>
internal sealed class OutageReporter(string loop, ILogger logger)
{
    private readonly ILogger _logger = logger.Guarded();
    // A restart of the database causes one or two failures, so fewer than this are not reported.
    private const int ManyFailures = 3;

    private int _failures;

    /// <summary>The loop's name if it keeps failing; otherwise <see langword="null"/>.</summary>
    public string? Failing => Failures >= ManyFailures ? loop : null;

    /// <summary>How many attempts have failed since the last success.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public void Failed(Exception exception)
    {
        if (Interlocked.Increment(ref _failures) == 1)
        {
            _logger.StoreLost(loop, exception);
        }
    }

    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) > 0 && Interlocked.Exchange(ref _failures, 0) is var failures and > 0)
        {
            _logger.StoreBack(loop, failures);
        }
    }
}
