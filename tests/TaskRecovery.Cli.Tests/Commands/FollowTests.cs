using System.CommandLine;
using Microsoft.Extensions.Time.Testing;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>Commands that run until they are interrupted.</summary>
public sealed class FollowTests : IDisposable
{
    private readonly CliFixture _cli = new();
    private readonly CancellationTokenSource _interrupt = new();

    public void Dispose()
    {
        _interrupt.Dispose();
        _cli.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_are_written_as_they_happen(bool asJson)
    {
        await _cli.MigratedAsync();
        await _cli.RunAsync("pause", "queue", "early", "--new", "--yes", "--actor", "anna");
        await using var output = new WatchedWriter();
        var first = output.WaitForAsync("early");
        var following = _cli.RunAsync(["events", "-f", "--interval",
            "1ms", .. asJson ? (string[])["--jsonl"] : []], answer: null, cancellationToken: _interrupt.Token, output: output);

        await first;
        var second = output.WaitForAsync("later");
        await _cli.RunAsync("pause", "queue", "later", "--new", "--yes", "--actor", "bert");
        await second;
        await _interrupt.CancelAsync();
        var result = await following;

        Assert.Equal((130, "Interrupted.\n", 2), (result.ExitCode, result.Error, result.Lines.Length));
        if (asJson)
        {
            Assert.Equal(["anna", "bert"], result.Lines.Select(line => CliResult.Parse(line).GetProperty("actor").GetString()));
        }
        else
        {
            Assert.EndsWith("Paused  queue later  bert (cli)", result.Lines[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Events_before_the_first_page_are_not_new()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);
        for (var number = 0; number < 5; number++)
        {
            await _cli.RunAsync(number % 2 == 0 ? "pause" : "resume", "queue", "default", "--yes", "--actor", $"early-{number}");
        }

        await using var output = new WatchedWriter();
        var first = output.WaitForAsync("early-4");
        var following = _cli.RunAsync(
            ["events", "-f", "--interval", "1ms", "--limit", "2"], answer: null, cancellationToken: _interrupt.Token, output: output);
        await first;
        var next = output.WaitForAsync("later");
        await _cli.RunAsync("resume", "queue", "default", "--yes", "--actor", "later");
        await next;
        await _interrupt.CancelAsync();

        Assert.Equal(["early-3", "early-4", "later"], (await following).Lines.Select(static line => line.Split("  ")[3].Split(' ')[0]));
    }

    [Fact]
    public async Task A_reader_that_continues_after_an_event_gets_all_later_ones_in_order()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);
        for (var number = 0; number < 5; number++)
        {
            await _cli.RunAsync(number % 2 == 0 ? "pause" : "resume", "queue", "default", "--yes", "--actor", $"early-{number}");
        }

        var early = (await _cli.RunAsync("events", "--by", "early-0", "--json")).Json().GetProperty("events")[0];
        var first = early.GetProperty("id").GetInt64();
        await using var output = new WatchedWriter();
        var last = output.WaitForAsync("early-4");
        var following = _cli.RunAsync(
            ["events", "-f", "--interval", "1ms", "--after", $"{first}", "--limit", "2"], answer: null,
            cancellationToken: _interrupt.Token, output: output);
        await last;
        await _interrupt.CancelAsync();

        Assert.Equal(
            ["early-1", "early-2", "early-3", "early-4"],
            (await following).Lines.Select(static line => line.Split("  ")[3].Split(' ')[0]));
    }

    [Fact]
    public async Task A_read_of_rare_events_examines_only_what_is_new_and_may_have_come_late()
    {
        const long newest = 50_000;
        var reads = new List<EventQuery>();
        using var output = new StringWriter { NewLine = "\n" };
        var follower = new EventFollower(CallOf(output), new EventQuery { Actor = "anna" }, (asked, _) =>
        {
            if (asked.Actor is null)
            {
                return ValueTask.FromResult(new EventPage([Event(newest)], newest));
            }

            reads.Add(asked);
            if (reads.Count == 4)
            {
                _interrupt.Cancel();
            }

            // Its transaction committed after those of 600 greater ids.
            return ValueTask.FromResult(new EventPage(reads.Count > 1 ? [Event(newest - 600)] : [], null));
        });

        Assert.Equal(0, await follower.RunAsync(TimeSpan.FromMilliseconds(1), _interrupt.Token));

        Assert.Equal([null, newest - 1_000, newest - 1_000, newest - 1_000], reads.Select(static read => read.After));
        Assert.Single(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task What_was_read_before_a_failure_is_written()
    {
        const int newest = 5_000;
        var reads = 0;
        using var output = new StringWriter { NewLine = "\n" };
        var follower = new EventFollower(CallOf(output), new EventQuery { After = 0 }, (asked, _) =>
        {
            if (asked.After is not { } after)
            {
                return ValueTask.FromResult(new EventPage([Event(newest)], newest));
            }

            if (++reads == 3)
            {
                throw new StoreUnavailableException("gone");
            }

            var last = (asked.Before ?? newest + 1) - 1;
            return ValueTask.FromResult(new EventPage(
                [.. Enumerable.Range(0, (int)(last - after)).Select(index => Event(last - index))], null));
        });

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => follower.RunAsync(TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken));

        var written = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            Enumerable.Range(1, 4_000), written.Select(static line => CliResult.Parse(line).GetProperty("id").GetInt32()));
    }

    [Fact]
    public async Task Events_of_long_ago_that_are_removed_cost_few_reads()
    {
        const int newest = 10_000_000;
        var reads = 0;
        using var output = new StringWriter { NewLine = "\n" };
        var follower = new EventFollower(CallOf(output), new EventQuery { After = 0 }, (asked, _) =>
        {
            if (asked.After is null)
            {
                return ValueTask.FromResult(new EventPage([Event(newest)], newest));
            }

            reads++;
            if (asked.Before is not null)
            {
                return ValueTask.FromResult(new EventPage([], null));
            }

            _interrupt.Cancel();
            return ValueTask.FromResult(new EventPage([Event(newest)], null));
        });

        Assert.Equal(0, await follower.RunAsync(TimeSpan.FromMilliseconds(1), _interrupt.Token));

        Assert.InRange(reads, 100, 120);
        Assert.Single(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Status_is_written_again_and_again()
    {
        await _cli.MigratedAsync();
        await using var output = new WatchedWriter();
        var count = 0;
        output.On("stored", () =>
        {
            if (++count == 3)
            {
                _interrupt.Cancel();
            }
        });

        var result = await _cli.RunAsync(
            ["status", "--watch", "--interval", "1ms"], answer: null, cancellationToken: _interrupt.Token, output: output);

        Assert.Equal((130, 3), (result.ExitCode, result.Lines.Count(line => line.Contains(" stored, ", StringComparison.Ordinal))));
        Assert.DoesNotContain("\e", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_limit_ends_what_was_shown_at_least_once_without_an_error()
    {
        await _cli.MigratedAsync();
        var time = new FakeTimeProvider();
        _cli.Time = time;
        await using var output = new WatchedWriter();
        output.On("takenAt", () => time.Advance(TimeSpan.FromHours(1)));

        var result = await _cli.RunAsync(
            ["status", "--watch", "--jsonl", "--timeout", "1h", "--interval", "1d"], answer: null, output: output);

        Assert.Equal((0, "", 1), (result.ExitCode, result.Error, result.Lines.Length));
    }

    [Theory]
    [InlineData("use --jsonl instead of --json", "status", "--watch", "--json")]
    [InlineData("use --jsonl instead of --json", "events", "--follow", "--json")]
    [InlineData("--follow and --before exclude each other", "events", "--follow", "--before", "7")]
    [InlineData("'top' needs a terminal", "top")]
    [InlineData("--interval is '0s': use a duration", "status", "--watch", "--interval", "0s")]
    [InlineData("--interval is '25d': use at most 24d.", "status", "--watch", "--interval", "25d")]
    [InlineData("--interval is '36500d': use at most 24d.", "events", "--follow", "--interval", "36500d")]
    public async Task Bad_input_is_explained(string message, params string[] args)
    {
        await _cli.MigratedAsync();

        (await _cli.RunAsync(args)).AssertFailed(2, message);
    }

    private static QueueEvent Event(long id)
        => new() { Id = id, At = DateTimeOffset.UnixEpoch, Kind = QueueEventKind.Paused, Actor = "anna" };

    private static CommandCall CallOf(StringWriter output) => new(
        new RootCommand().Parse(""),
        new Terminal { Out = output, Error = TextWriter.Null, In = TextReader.Null, Variable = static _ => null },
        store: null!)
    {
        Format = OutputFormat.JsonLines,
        IsDryRun = false,
        SaidYes = false,
        Audit = new AuditInfo("anna"),
        HasTimedOut = static () => true,
    };
}
