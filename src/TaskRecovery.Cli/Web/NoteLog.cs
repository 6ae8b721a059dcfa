using Microsoft.Extensions.Logging;

namespace TaskRecovery.Cli.Web;

/// <summary>Writes what the dashboard logs as notes: who opened or searched data, what was done, and what was refused.</summary>
/// <param name="write">Writes a line. Called by one thread at a time.</param>
internal sealed class NoteLog(Action<string> write) : ILoggerProvider
{
    private const string Own = nameof(TaskRecovery);

    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName)
        => new Category(this, categoryName.StartsWith(Own, StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning);

    public void Dispose()
    {
        // There is nothing to release.
    }

    private void Write(string line)
    {
        lock (_lock)
        {
            write(line);
        }
    }

    private sealed class Category(NoteLog log, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write($"{formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
            }
        }
    }
}
