using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>A logger that a test reads from.</summary>
internal sealed class ListLogger : ILogger
{
    private readonly Channel<(int Id, string Text)> _lines = Channel.CreateUnbounded<(int, string)>();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _lines.Writer.TryWrite((eventId.Id, formatter(state, exception)));

    /// <summary>The next line with this id, whatever comes before it.</summary>
    public async Task<string> WaitForAsync(int id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        while (true)
        {
            var line = await _lines.Reader.ReadAsync(limit.Token);
            if (line.Id == id)
            {
                return line.Text;
            }
        }
    }
}
