using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;

namespace TaskRecovery.Workers;

/// <summary>Lets a loop say once that its store is gone, and once that it is back.</summary>
internal sealed class OutageReporter(string loop, ILogger logger)
{
    private readonly ILogger _logger = logger.Guarded();
    // One failure, or two, come with every restart of a database.
    private const int ManyFailures = 3;

    private int _failures;

    /// <summary>The loop's name where it keeps failing; <see langword="null"/> where it does not.</summary>
    public string? Failing => Failures >= ManyFailures ? loop : null;

    /// <summary>How many attempts have failed since the last one that did not.</summary>
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
