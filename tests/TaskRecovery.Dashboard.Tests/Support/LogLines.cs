using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>Keeps the log lines of an application, and their categories.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = [];

    /// <summary>The categories that were asked for.</summary>
    public ConcurrentQueue<string> Categories { get; } = [];

    public ILogger CreateLogger(string categoryName)
    {
        Categories.Enqueue(categoryName);
        return this;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Lines.Enqueue($"{eventId.Id}: {formatter(state, exception)}");

    public void Dispose()
    {
    }
}
