using Microsoft.Extensions.Logging;

namespace TaskRecovery.Workers;

/// <summary>Keeps what handlers log, if their kind asks for it. Registered only if a kind does.</summary>
[ProviderAlias("TaskRecoveryRunLog")]
internal sealed class RunLogProvider(RunLogs logs) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new RunLogger(logs, categoryName);

    public void Dispose()
    {
    }

    private sealed class RunLogger(RunLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logs.Current is not null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel != LogLevel.None && logs.Current is { } log)
            {
                var message = formatter(state, exception);
                log.Add(logLevel, category, exception is null ? message : $"{message}\n{exception}");
            }
        }
    }
}
