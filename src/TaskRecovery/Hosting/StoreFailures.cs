using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.Hosting;

/// <summary>Errors that say that the store can't be used now, whatever it was asked: it is not available, or a person must repair it. Such
/// an error is not a failure of the work, so it spends no attempt.</summary>
internal static class StoreFailures
{
    // An unavailable store is usually back soon, but an entry must not be claimed again and again meanwhile.
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(1);

    // A person acts later than that, and claims may work all the time: the work before the failing call is not to be repeated every second.
    private static readonly TimeSpan Repair = TimeSpan.FromMinutes(1);

    /// <summary>Whether an error is one of these. Inner exceptions do not count: if the application wraps a store error in its own
    /// exception, that is a failure of the application.</summary>
    public static bool Is(Exception exception)
        => exception is StoreUnavailableException or StoreConfigurationException
            || (exception is AggregateException { InnerExceptions: [var only] } && Is(only));

    /// <summary>Whether a handler's call that failed with such an error is worth repeating: not if it waited for a transaction of this
    /// process, which is probably the handler's own.</summary>
    public static bool MayPass(Exception exception)
        => exception is not StoreUnavailableException { IsHeldByThisProcess: true } && Is(exception);

    /// <summary>Whether an error that ended a handler is one of these. A store that a person must repair counts only if it is the run's,
    /// because nothing limits how often the run repeats: a handler may use another store, and its wrong password is a failure of the
    /// handler. Most calls do not say which store failed: then the answer of a database counts as one of the run's, because work must not
    /// end for good while somebody repairs it. Any unavailable store counts, because it is usually back soon, unless the
    /// call waited for a transaction of this process: a handler that does not pass its own would run again without end.</summary>
    public static bool EndsRun(Exception exception, IEntryStore own)
        => exception switch
        {
            StoreUnavailableException { IsHeldByThisProcess: true } => false,
            StoreUnavailableException => true,
            StoreConfigurationException { Store: null, InnerException: DbException } => true,
            StoreConfigurationException failure => ReferenceEquals(failure.Store, own),
            AggregateException { InnerExceptions: [var only] } => EndsRun(only, own),
            _ => false,
        };

    /// <summary>How long an entry waits after such an error before it is claimed again.</summary>
    public static TimeSpan WaitAfter(Exception exception)
        => exception switch
        {
            StoreConfigurationException => Repair,
            AggregateException { InnerExceptions: [var only] } => WaitAfter(only),
            _ => Outage,
        };
}
