using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace TaskRecovery.Workers;

/// <summary>Keeps what handlers log, if their kind asks for it. If no kind does, it examines no log line.</summary>
[ProviderAlias("TaskRecoveryRunLog")]
internal sealed class RunLogProvider(RunLogs logs, bool keepsLogs = true) : ILoggerProvider, ISupportExternalScope
{
    public ILogger CreateLogger(string categoryName) => keepsLogs ? new RunLogger(logs, categoryName) : NullLogger.Instance;

    /// <summary>Scopes are not kept. A provider that does not accept the ones of the application makes each of them cost more.</summary>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider)
    {
    }

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
