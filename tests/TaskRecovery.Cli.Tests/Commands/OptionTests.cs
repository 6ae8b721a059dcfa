namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The options of every command.</summary>
public sealed class OptionTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    private string Settings => Path.Combine(Path.GetDirectoryName(_cli.File)!, "appsettings.json");

    [Theory]
    [InlineData("retry")]
    [InlineData("cancel")]
    public async Task A_dry_run_describes_many_and_changes_nothing(string action)
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(3);
        if (action == "retry")
        {
            await _cli.RunAsync("cancel", "--all", "--yes");
        }

        _cli.Variables["TASKRECOVERY_READONLY"] = "1";
        var before = (await _cli.RunAsync("list", "--json")).Out;
        var described = await _cli.RunAsync(action, "--kind", "render", "--dry-run");
        var json = (await _cli.RunAsync(action, "--all", "--dry-run", "--json")).Json();
        var some = await _cli.RunAsync(action, "1", "2", "77", "--dry-run");

        Assert.Equal((0, 5, ""), (described.ExitCode, described.Lines.Length, described.Error));
        Assert.StartsWith(
            $"would: {char.ToUpperInvariant(action[0])}{action[1..]} 3 entries in file {_cli.File}",
            described.Lines[0], StringComparison.Ordinal);
        Assert.Equal((3, 3), (json.GetProperty("entries").GetProperty("value").GetInt64(), json.GetProperty("sample").GetArrayLength()));
        Assert.Equal(4, some.Lines.Length);
        Assert.Equal(before, (await _cli.RunAsync("list", "--json")).Out);
        Assert.Equal(action == "retry" ? 2 : 1, (await _cli.RunAsync("ops")).Lines.Length);
    }

    [Fact]
    public async Task A_dry_run_of_one_action_says_whether_it_would_be_refused()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];

        var cancelled = await _cli.RunAsync("cancel", $"{id}", "--dry-run");
        var paused = await _cli.RunAsync("pause", "queue", "default", "--dry-run", "--json");

        Assert.Equal((0, $"would: Cancel entry {id} in file {_cli.File}\n"), (cancelled.ExitCode, cancelled.Out));
        Assert.Equal($"Pause queue default in file {_cli.File}", paused.Json().GetProperty("wouldDo").GetString());
        (await _cli.RunAsync("retry", $"{id}", "--dry-run")).AssertFailed(1, "because it has not ended");
        (await _cli.RunAsync("retry", "99", "--dry-run")).AssertFailed(6, "because it does not exist");
        (await _cli.RunAsync("retry", "--state", "waiting", "--dry-run")).AssertFailed(
            2, "--state is 'Waiting': Retry changes only entries that are");
        Assert.DoesNotContain("paused", (await _cli.RunAsync("queues")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_item_of_a_list_is_a_line_of_json()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(3);

        var entries = await _cli.RunAsync("list", "--jsonl", "--limit", "2");
        var status = await _cli.RunAsync("status", "--jsonl");

        Assert.Equal([3, 2], entries.Lines.Select(line => CliResult.Parse(line).GetProperty("id").GetInt64()));
        Assert.Contains("Look further with --before 2.", entries.Error, StringComparison.Ordinal);
        Assert.Equal(
            3, CliResult.Parse(Assert.Single(status.Lines)).GetProperty("queues")[0].GetProperty("due").GetProperty("value").GetInt64());
        (await _cli.RunAsync("list", "--json", "--jsonl")).AssertFailed(2, "exclude each other");
    }

    [Fact]
    public async Task A_command_that_takes_too_long_has_not_reached_the_store()
    {
        await _cli.MigratedAsync();
        await using var locked = await Database.LockAsync(_cli.ConnectionString);

        (await _cli.RunAsync("pause", "queue", "default", "--new", "--yes", "--timeout", "200ms")).AssertFailed(
            3, "The command was not done after 0.2s (--timeout).");
        (await _cli.RunAsync("status", "--timeout", "soon")).AssertFailed(2, "--timeout is 'soon': use a duration");
    }

    [Theory]
    [InlineData("""{ "ConnectionStrings": { "Tasks": "@" } }""", null)]
    [InlineData("""{ "ConnectionStrings": { "tasks": "@", "Other": "Host=nowhere" } }""", "Tasks")]
    [InlineData("""{ "ConnectionStrings:Tasks": "@", /* a comment */ "Logging": {}, }""", "Tasks")]
    public async Task The_connection_string_may_be_in_a_file_of_settings(string text, string? name)
    {
        await _cli.MigratedAsync();
        _cli.Variables.Clear();
        await File.WriteAllTextAsync(
            Settings, text.Replace("@", "Data Source=tasks.db", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var status = await _cli.RunAsync(["status", "--settings", Settings, .. name is null ? (string[])[] : ["--name", name]]);

        Assert.Equal((0, ""), (status.ExitCode, status.Error));
        Assert.StartsWith($"file {_cli.File}", status.Lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("which has no ConnectionStrings", "{}")]
    [InlineData("which has no ConnectionStrings", "[]")]
    [InlineData("can't be read as JSON (line 2)", "{\n x")]
    [InlineData("choose one with --name: A, B.", """{ "ConnectionStrings": { "B": "Password=secret77", "A": "x" } }""")]
    [InlineData(
        "--name is 'C', which is not in ConnectionStrings", """{ "ConnectionStrings": { "A": "Password=secret77" } }""", "--name", "C")]
    [InlineData("names neither a server nor a file", """{ "ConnectionStrings": { "A": "Password=secret77" } }""")]
    [InlineData("exclude each other", "{}", "-c", "Data Source=x")]
    public async Task A_file_of_settings_that_cannot_be_used_is_explained(string message, string text, params string[] args)
    {
        await File.WriteAllTextAsync(Settings, text, TestContext.Current.CancellationToken);

        var result = await _cli.RunAsync(["status", "--settings", Settings, .. args]);

        result.AssertFailed(2, message);
        Assert.DoesNotContain("secret77", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_settings_that_does_not_exist_is_named()
    {
        (await _cli.RunAsync("status", "--settings", "/nowhere/appsettings.json")).AssertFailed(
            2, "'/nowhere/appsettings.json', which can't be read");
        (await _cli.RunAsync("status", "--name", "Tasks")).AssertFailed(2, "--name is 'Tasks', and there is no --settings");
    }
}
