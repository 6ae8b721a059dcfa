namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The tool in a real terminal: questions, the live screen, and Ctrl-C.</summary>
public sealed class TerminalTests : IDisposable
{
    private const string CtrlC = "\u0003";

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "TaskRecovery.Cli.dll");

    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task The_live_screen_follows_what_happens_until_q_is_pressed()
    {
        await _cli.MigratedAsync();
        await _cli.RunAsync("pause", "queue", "mail", "--new", "--yes", "--reason", "upgrade");
        await using var top = PtyProcess.Start(Program, ["top", "--interval", "200ms"], _cli.Variables);

        await top.WaitForAsync("\e[?1049h\e[?25l");
        await top.WaitForAsync("upgrade");
        await _cli.EnqueueAsync(7, new EnqueueOptions { Queue = "urgent" });
        await top.WaitForAsync("urgent");
        await top.TypeAsync("q");

        Assert.Equal(0, await top.WaitForExitAsync());
        Assert.EndsWith("\e[?25h\e[?1049l", top.Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_c_leaves_the_live_screen()
    {
        await _cli.MigratedAsync();
        await using var top = PtyProcess.Start(Program, ["top"], _cli.Variables);

        await top.WaitForAsync("last day");
        await top.TypeAsync(CtrlC);

        Assert.Equal(130, await top.WaitForExitAsync());
        Assert.Contains("\e[?25h\e[?1049l", top.Screen, StringComparison.Ordinal);
        Assert.Contains("Interrupted.", top.Screen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("y\n", 0, "Cancelled")]
    [InlineData(CtrlC, 130, "Waiting")]
    public async Task A_question_waits_for_an_answer(string answer, int exitCode, string state)
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];
        await using var cancel = PtyProcess.Start(Program, ["cancel", $"{id}"], _cli.Variables);

        await cancel.WaitForAsync("? [y/N] ");
        await cancel.TypeAsync(answer);

        Assert.Equal(exitCode, await cancel.WaitForExitAsync());
        var entry = (await _cli.RunAsync("list", "--json")).Json().GetProperty("entries")[0];
        Assert.Equal(state, entry.GetProperty("state").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ctrl_c_waits_until_the_operation_is_stopped(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.EnqueueAsync(2);
        await using var cancel = PtyProcess.Start(Program, ["cancel", "--all"], store.Cli.Variables);
        await cancel.WaitForAsync("? [y/N] ");
        await using (await store.HoldOperationsAsync())
        {
            await cancel.TypeAsync("y\n");
            await cancel.WaitForAsync("operation 1");

            await cancel.TypeAsync(CtrlC);
            await cancel.WaitForAsync("Stopping. Press Ctrl-C again");

            // The parser's library ends a process 2 s after Ctrl-C, unless that is switched off.
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        }

        Assert.Equal(130, await cancel.WaitForExitAsync());
        Assert.Contains("Operation 1 was stopped: 0 entries were changed.", cancel.Screen, StringComparison.Ordinal);
        var operation = (await store.Cli.RunAsync("ops", "--json")).Json().GetProperty("operations").EnumerateArray().Single();
        Assert.Equal("Stopped", operation.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_second_ctrl_c_ends_the_tool_at_once()
    {
        await using var store = await EitherStore.CreateAsync(onServer: false);
        await store.Cli.EnqueueAsync(2);
        await using var cancel = PtyProcess.Start(Program, ["cancel", "--all"], store.Cli.Variables);
        await cancel.WaitForAsync("? [y/N] ");
        await using (await store.HoldOperationsAsync())
        {
            await cancel.TypeAsync("y\n");
            await cancel.WaitForAsync("operation 1");
            await cancel.TypeAsync(CtrlC);
            await cancel.WaitForAsync("Stopping. Press Ctrl-C again");

            await cancel.TypeAsync(CtrlC);

            Assert.Equal(130, await cancel.WaitForExitAsync());
        }

        Assert.DoesNotContain("Operation 1 was stopped", cancel.Screen, StringComparison.Ordinal);
    }
}
