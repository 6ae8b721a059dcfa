using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>A logger whose errors are its own: one that throws (a sink that writes to the very database that is gone, for example) must not end a loop or keep an outcome from being stored.</summary>
internal sealed class GuardedLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
#pragma warning disable CA1031 // See above; and this is asked often, so without a delegate.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Guard.Tell(() => inner.Log(logLevel, eventId, state, exception, formatter));
}

/// <summary>Keeps what listens to logs, metrics and traces from doing harm.</summary>
internal static class Guard
{
    public static ILogger Guarded(this ILogger logger) => logger as GuardedLogger ?? new GuardedLogger(logger);

    /// <summary>Tells somebody something. Whatever he throws is lost: there is nobody to tell that.</summary>
    public static void Tell(Action tell)
    {
        try
        {
            tell();
        }
#pragma warning disable CA1031 // A listener's error is the listener's.
        catch (Exception)
#pragma warning restore CA1031
        {
            // See above.
        }
    }
}
