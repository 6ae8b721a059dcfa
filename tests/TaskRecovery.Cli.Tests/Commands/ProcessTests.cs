using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The tool as a process.</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "TaskRecovery.Cli.dll");

    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task A_process_writes_data_and_returns_the_exit_code()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];

        var list = await RunAsync(["list"], _cli.Variables);
        var retry = await RunAsync(["retry", $"{id}"], _cli.Variables);
        var show = await RunAsync(["show", "999", "--connection", _cli.ConnectionString]);

        Assert.Equal((0, 2, 6), (list.ExitCode, retry.ExitCode, show.ExitCode));
        Assert.StartsWith($"{id}   Waiting", list.Child.Lines.Last(), StringComparison.Ordinal);
        Assert.Empty(retry.Child.Lines);
        Assert.Contains("Add --yes.", retry.Child.Output, StringComparison.Ordinal);
        Assert.Contains("There is no entry 999", show.Child.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_describes_its_commands()
    {
        var help = await RunAsync(["--help"]);

        Assert.Equal(0, help.ExitCode);
        Assert.Contains("Commands:", help.Child.Lines);
    }

    [Fact]
    public async Task A_process_that_follows_events_ends_when_nobody_reads_them_any_more()
    {
        await _cli.MigratedAsync();
        await _cli.RunAsync("pause", "queue", "mail", "--new", "--yes");
        await using var follower = ShellOf("\"$0\" \"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "events", "-f", "--interval", "10ms");
        var first = await follower.ReadLineAsync();

        for (var number = 0; number < 200 && !follower.HasExited; number++)
        {
            await _cli.RunAsync(number % 2 == 0 ? "resume" : "pause", "queue", "mail", "--yes");
        }

        Assert.Contains("Paused", first, StringComparison.Ordinal);
        Assert.Equal(141, await follower.WaitForExitAsync());
        Assert.Single(follower.Output.Split('\n'));
    }

    [Fact]
    public async Task A_process_whose_output_can_t_be_written_says_so_in_a_line()
    {
        await _cli.MigratedAsync();
        await using var status = ShellOf("\"$0\" \"$@\" > /dev/full", "status");

        Assert.Equal(4, await status.WaitForExitAsync());
        Assert.StartsWith(
            "The output, or a file, can't be read or written: ", Assert.Single(status.Output.Split('\n')), StringComparison.Ordinal);
    }

    // In a process of its own, because the tests give the read model more time than a user has.
    [Theory]
    [InlineData("queue", "default")]
    [InlineData("kind", "render")]
    public async Task A_pause_does_not_need_the_counts_of_a_busy_database(string what, string name)
    {
        await using var store = await EitherStore.CreateAsync(onServer: true);
        await store.Cli.EnqueueAsync(1);
        await using var busy = await store.HoldAsync("lock table taskrecovery.waiting in access exclusive mode");

        var pause = await RunAsync(["pause", what, name, "--dry-run"], store.Cli.Variables);

        Assert.Equal(0, pause.ExitCode);
        Assert.StartsWith($"would: Pause {what} {name} in ", Assert.Single(pause.Child.Lines), StringComparison.Ordinal);
        Assert.EndsWith(
            " (whether it is paused already is not known, because the database is slow)", pause.Child.Lines.Single(),
            StringComparison.Ordinal);
    }

    // The tool in a command of a shell, in which it is "$0" "$@".
    private ChildProcess ShellOf(string command, params string[] args)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        return ChildProcess.Start("bash", ["-c", command, host, Program, .. args], _cli.Variables);
    }

    // The output is complete when the process has been disposed of.
    private static async Task<(int ExitCode, ChildProcess Child)> RunAsync(
        string[] args, IReadOnlyDictionary<string, string>? variables = null)
    {
        await using var child = ChildProcess.StartDotnet(Program, args, variables);
        return (await child.WaitForExitAsync(), child);
    }
}
