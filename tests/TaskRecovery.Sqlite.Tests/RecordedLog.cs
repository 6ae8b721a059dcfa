using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Keeps what is logged.</summary>
public sealed class RecordedLog : ILogger
{
    private readonly List<(int Id, LogLevel Level, string Message)> _entries = [];

    /// <summary>Called for every entry.</summary>
    public Action<int>? OnEntry { get; init; }

    public IReadOnlyList<(int Id, LogLevel Level, string Message)> Entries
    {
        get
        {
            lock (_entries)
            {
                return [.. _entries];
            }
        }
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        OnEntry?.Invoke(eventId.Id);
        lock (_entries)
        {
            _entries.Add((eventId.Id, logLevel, formatter(state, exception)));
        }
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;
}
