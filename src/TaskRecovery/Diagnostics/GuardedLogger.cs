using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>A logger that swallows its sinks' exceptions. A failing sink (for example one that writes to the database that is unavailable)
/// must not end a loop or prevent an outcome from being stored.</summary>
internal sealed class GuardedLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
        => Guard.Ask((inner, logLevel), static call => call.inner.IsEnabled(call.logLevel));

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Guard.Notify(() => inner.Log(logLevel, eventId, state, exception, formatter));
}

/// <summary>Calls listeners of logs, metrics and traces, and swallows their exceptions.</summary>
internal static class Guard
{
    public static ILogger Guarded(this ILogger logger) => logger as GuardedLogger ?? new GuardedLogger(logger);

    /// <summary>Calls a listener. Its exception is swallowed, because there is no other place to report it.</summary>
    public static void Notify(Action listener) => Notify(listener, static listener => listener());

    /// <summary>Calls a listener without allocating a closure, for frequent calls.</summary>
    public static void Notify<TState>(TState state, Action<TState> listener)
        => Ask(
            (state, listener),
            static call =>
            {
                call.listener(call.state);
                return true;
            });

    /// <summary>Calls a listener and returns its result, or the default value if it throws.</summary>
    public static T? Ask<TState, T>(TState state, Func<TState, T> listener)
    {
        try
        {
            return listener(state);
        }
#pragma warning disable CA1031 // A listener's error must not affect the caller.
        catch (Exception)
#pragma warning restore CA1031
        {
            return default;
        }
    }
}
