using System.Data.Common;
using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;

namespace TaskRecovery.Hosting;

/// <summary>Logs an outage of the store once for all loops of this process: one warning when the first loop finds the store unavailable,
/// and one message when the last loop has succeeded again. A loop that fails for another reason is reported by itself.</summary>
internal sealed class OutageReporter(TimeProvider time, ILogger<OutageReporter> logger) : IFailingLoops
{
    // In an outage, every loop fails within this time.
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = logger.Guarded();
    private readonly Lock _gate = new();
    private readonly List<LoopHealth> _listed = [];
    private int _outage;
    private int _without;
    private long _since;

    /// <summary>Creates the record of a loop.</summary>
    /// <param name="loop">The loop's name in logs.</param>
    /// <param name="isListed">Whether the health check lists the loop while it keeps failing.</param>
    public LoopHealth Watch(string loop, bool isListed = true)
    {
        var health = new LoopHealth(this, loop);
        if (isListed)
        {
            lock (_gate)
            {
                _listed.Add(health);
            }
        }

        return health;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFailing()
    {
        lock (_gate)
        {
            return [.. _listed.Where(loop => loop.KeepsFailing).Select(loop => loop.Loop)];
        }
    }

    /// <summary>Whether an error means that the store is not available at the moment, so that a repetition may succeed.</summary>
    internal static bool IsOutage(Exception exception)
        => exception is StoreUnavailableException or TimeoutException or OperationCanceledException or IOException
            or DbException { IsTransient: true };

    internal void Failed(LoopHealth loop, Exception exception)
    {
        var isOutage = IsOutage(exception);
        var (begins, ended, isNewFailure) = (false, default(TimeSpan?), false);
        lock (_gate)
        {
            loop.Failures++;
            if (!isOutage)
            {
                ended = Leave(loop);
                isNewFailure = !loop.IsReported;
                loop.IsReported = true;
            }
            else if (loop.Outage == 0)
            {
                begins = Join(loop);
            }
        }

        if (begins)
        {
            _logger.StoreLost(loop.Loop, exception);
        }

        LogEnd(loop, ended);
        if (isNewFailure)
        {
            _logger.LoopFailed(loop.Loop, exception);
        }
    }

    internal void Succeeded(LoopHealth loop)
    {
        TimeSpan? ended;
        bool wasAlone;
        lock (_gate)
        {
            wasAlone = loop.IsReported || (loop.Outage != 0 && loop.Outage != _outage);
            loop.IsReported = false;
            loop.Failures = 0;
            ended = Leave(loop);
        }

        LogEnd(loop, ended);
        if (wasAlone)
        {
            _logger.LoopWorksAgain(loop.Loop);
        }
    }

    // Returns whether a new outage begins. A loop that never succeeds again must not hide later outages: after some time, a loop that has
    // worked until now begins another one.
    private bool Join(LoopHealth loop)
    {
        var begins = _without == 0 || time.GetElapsedTime(_since) > LongestStart;
        if (begins)
        {
            _outage++;
            _since = time.GetTimestamp();
            _without = 0;
        }

        _without++;
        loop.Outage = _outage;
        return begins;
    }

    // Returns how long the outage was if it ends with this loop.
    private TimeSpan? Leave(LoopHealth loop)
    {
        var isLast = loop.Outage != 0 && loop.Outage == _outage && --_without == 0;
        loop.Outage = 0;
        return isLast ? time.GetElapsedTime(_since) : null;
    }

    private void LogEnd(LoopHealth loop, TimeSpan? ended)
    {
        if (ended is { } duration)
        {
            _logger.StoreBack(loop.Loop, duration);
        }
    }
}
