using Microsoft.Extensions.Logging;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Workers;

/// <summary>What handlers log is kept, if their kind asks for it.</summary>
public sealed class RunLogTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly RunLogs _logs;
    private readonly ILogger _logger;

    public RunLogTests()
    {
        _logs = new RunLogs(_time);
        _logger = new RunLogProvider(_logs).CreateLogger("Category");
    }

    [Fact]
    public void Nothing_is_kept_outside_of_a_run()
    {
        _logger.LogInformation("nobody's");

        Assert.False(_logger.IsEnabled(LogLevel.Critical));
        Assert.Empty(_logs.Take());
    }

    [Fact]
    public async Task The_loop_that_stores_lines_rests_while_there_can_be_none()
    {
        Assert.False(_logs.MayHaveLines);
        var log = _logs.Begin(7, 70);
        Assert.True(_logs.MayHaveLines);
        Assert.True(await _logs.Due.WaitAsync(TimeSpan.Zero, _time, TestContext.Current.CancellationToken));
        _logger.LogInformation("one");
        _logs.End(log);
        Assert.True(await _logs.Due.WaitAsync(TimeSpan.Zero, _time, TestContext.Current.CancellationToken));
        var parts = _logs.Take();
        Assert.False(_logs.MayHaveLines);
        _logs.PutBack(parts);
        Assert.True(_logs.MayHaveLines);
    }

    [Fact]
    public async Task Lines_of_a_run_are_kept_across_threads_with_their_exceptions()
    {
        var log = _logs.Begin(7, 70);
        _logger.LogInformation("one {Number}", 1);
        await Task.Run(() => _logger.LogError(new InvalidOperationException("boom"), "two"), TestContext.Current.CancellationToken);
        _logs.End(log);
        _logger.LogInformation("after");

        var part = Assert.Single(_logs.Take());
        Assert.Equal((7L, 70L, 0), (part.EntryId, part.Fence, part.Part));
        Assert.Equal(
            [(LogLevel.Information, "Category", "one 1"), (LogLevel.Error, "Category", "two\nSystem.InvalidOperationException: boom")],
            part.Lines.Select(line => (line.Level, line.Category, line.Message)));
    }

    [Fact]
    public async Task Runs_at_the_same_time_do_not_mix()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(number => Task.Run(
            async () =>
            {
                var log = _logs.Begin(number, number);
                await Task.Yield();
                _logger.LogInformation("{Number}", number);
                _logs.End(log);
            },
            TestContext.Current.CancellationToken)));

        Assert.All(_logs.Take(), part => Assert.Equal($"{part.EntryId}", Assert.Single(part.Lines).Message));
    }

    [Fact]
    public void A_long_run_is_stored_in_numbered_parts()
    {
        var log = _logs.Begin(7, 70);
        _logger.LogInformation("one");
        var first = _logs.Take();
        _logger.LogInformation("two");
        _logs.End(log);
        var second = _logs.Take();

        Assert.Equal([0, 1], first.Concat(second).Select(part => part.Part));
        _logs.PutBack(second);
        Assert.Equal(second, _logs.Take());
    }

    [Fact]
    public void A_run_that_writes_too_much_says_so_once_and_is_cut()
    {
        var log = _logs.Begin(7, 70);
        for (var line = 0; line < 100; line++)
        {
            _logger.LogInformation("{Text}", new string('x', 1024));
        }

        _logs.End(log);

        var lines = Assert.Single(_logs.Take()).Lines;
        Assert.InRange(lines.Count, 60, 66);
        Assert.Contains("64 KiB", lines[^1].Message, StringComparison.Ordinal);
    }
}
