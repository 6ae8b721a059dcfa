using System.ComponentModel;
using System.Globalization;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Tests.TestSupport;

/// <summary>What crash tests rely on: a child that is killed, stopped and continued for real.</summary>
public sealed class ChildProcessTests
{
    [Fact]
    public async Task A_killed_child_is_gone_and_has_written_nothing_more()
    {
        await using var child = ChildProcess.Start("/bin/sh", ["-c", "echo ready; read line; echo $line; read line"]);
        Assert.Equal("ready", await child.ReadLineAsync());

        await child.WriteLineAsync("hello");
        Assert.Equal("hello", await child.WaitForLineAsync("he"));
        await child.KillAsync();

        Assert.Equal(137, await child.WaitForExitAsync());
        Assert.Equal(["ready", "hello"], child.Lines);
        Assert.Null(await child.ReadLineAsync());
        Assert.Throws<Win32Exception>(() => Signal.Kill.SendTo(child.Id));
    }

    [Fact]
    public async Task A_stopped_child_answers_only_after_it_is_continued()
    {
        await using var child = ChildProcess.Start("/bin/sh", ["-c", "echo ready; while read line; do echo $line; done"]);
        Assert.Equal("ready", await child.ReadLineAsync());

        child.Send(Signal.Stop);
        await child.WriteLineAsync("anyone there?");
        await Assert.ThrowsAsync<TimeoutException>(() => child.ReadLineAsync(TimeSpan.FromMilliseconds(300)));
        child.Send(Signal.Continue);

        Assert.Equal("anyone there?", await child.ReadLineAsync());
    }

    [Fact]
    public async Task What_an_ended_child_has_written_was_read()
    {
        await using var child = ChildProcess.Start("/bin/sh", ["-c", "seq 100000; echo error >&2"]);

        Assert.Equal(0, await child.WaitForExitAsync());

        Assert.Equal(100_000, child.Lines.Count);
        Assert.EndsWith("100000\nerror", child.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_never_comes_is_an_error_that_shows_what_did()
    {
        await using var child = ChildProcess.Start("/bin/sh", ["-c", "echo one; echo two >&2"]);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => child.WaitForLineAsync("three"));

        Assert.Contains("one", error.Message, StringComparison.Ordinal);
        Assert.Contains(child.Id.ToString(CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }
}
