using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>A logger whose errors are its own: one that throws (a sink that writes to the very database that is gone, for example) must not end a loop or keep an outcome from being stored.</summary>
internal sealed class GuardedLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
        => Guard.Ask((inner, logLevel), static asked => asked.inner.IsEnabled(asked.logLevel));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Guard.Notify(() => inner.Log(logLevel, eventId, state, exception, formatter));
}

/// <summary>Keeps what listens to logs, metrics and traces from doing harm.</summary>
internal static class Guard
{
    public static ILogger Guarded(this ILogger logger) => logger as GuardedLogger ?? new GuardedLogger(logger);

    /// <summary>Tells somebody something. Whatever he throws is lost: there is nobody to tell that.</summary>
    public static void Notify(Action tell) => Notify(tell, static tell => tell());

    /// <summary>The same without a closure, for what is told often.</summary>
    public static void Notify<TState>(TState state, Action<TState> tell)
        => Ask(
            (state, tell),
            static told =>
            {
                told.tell(told.state);
                return true;
            });

    /// <summary>Asks somebody something; the default if he throws.</summary>
    public static T? Ask<TState, T>(TState state, Func<TState, T> ask)
    {
        try
        {
            return ask(state);
        }
#pragma warning disable CA1031 // A listener's error is the listener's.
        catch (Exception)
#pragma warning restore CA1031
        {
            return default;
        }
    }
}
