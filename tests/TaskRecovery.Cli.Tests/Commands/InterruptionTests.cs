using System.Runtime.InteropServices;
using Microsoft.Extensions.Time.Testing;
using TaskRecovery.Cli.Commands;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>What a signal does to a command. What a command does then is tested in a terminal.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public void The_first_signal_cancels_the_command_and_the_second_ends_the_process()
    {
        using var error = new StringWriter();
        using var interruption = new Interruption(error, new FakeTimeProvider());
        var (first, second) = (new PosixSignalContext(PosixSignal.SIGINT), new PosixSignalContext(PosixSignal.SIGTERM));
        var before = interruption.Token.IsCancellationRequested;

        interruption.Handle(first);
        interruption.Handle(second);

        Assert.Equal((false, true), (before, interruption.Token.IsCancellationRequested));
        Assert.Equal((true, false), (first.Cancel, second.Cancel));
    }

    [Fact]
    public void A_command_that_does_not_end_at_once_says_how_to_end_it()
    {
        var time = new FakeTimeProvider();
        using var error = new StringWriter();
        using var interruption = new Interruption(error, time);
        interruption.Handle(new PosixSignalContext(PosixSignal.SIGINT));
        var early = error.ToString();

        time.Advance(Interruption.Silence);

        Assert.Equal("", early);
        Assert.StartsWith("Stopping. Press Ctrl-C again to end at once", error.ToString(), StringComparison.Ordinal);
    }
}
