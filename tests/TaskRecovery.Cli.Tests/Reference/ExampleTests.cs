using System.Text.RegularExpressions;

namespace TaskRecovery.Cli.Tests.Reference;

/// <summary>The commands in the documents are commands of the tool.</summary>
public sealed partial class ExampleTests
{
    [Theory]
    [InlineData("operations.md")]
    [InlineData("cli.md")]
    public async Task The_commands_of_a_page_can_be_run(string page)
    {
        using var cli = new CliFixture();
        await cli.MigratedAsync();
        await cli.EnqueueAsync(1);
        var commands =
            Commands(await File.ReadAllTextAsync(Path.Combine(ReferenceTests.Docs, page), TestContext.Current.CancellationToken)).ToArray();
        Assert.True(commands.Length > 5, $"'{page}' has {commands.Length} commands.");

        // What runs on or needs a terminal is limited; ids and files of the examples need not exist. Imports have tests of their own.
        foreach (var args in commands.Where(static args => args[0] is not ("top" or "import") && !args.Contains("--settings")))
        {
            using var interrupt = new CancellationTokenSource();
            if (args.Contains("--follow") || args[0] == "dashboard")
            {
                await interrupt.CancelAsync();
            }

            // The numbers of migrations and the place of a file differ.
            var adapted = args.Select(arg => arg == "upgrade.sql" ? Path.Combine(cli.Folder, arg) : arg == "18" ? "8" : arg);
            var result = await cli.RunAsync(
                [.. adapted, .. IsChange(args) ? (string[])["--dry-run"] : []], answer: null, cancellationToken: interrupt.Token);
            Assert.True(
                result.ExitCode is 0 or 1 or 6 || (result.ExitCode == 130 && interrupt.IsCancellationRequested),
                $"taskrecovery {string.Join(' ', args)}: {result.ExitCode} {result.Error}");
        }
    }

    [Theory]
    [InlineData("cli.md", 3)]
    [InlineData("coming-from/hangfire.md", 2)]
    [InlineData("coming-from/quartz.md", 2)]
    public async Task An_import_of_a_page_says_where_from_and_where_to(string page, int count)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(ReferenceTests.Docs, page), TestContext.Current.CancellationToken);
        var lines = text.Split('\n').Select(static line => line.Trim())
            .SkipWhile(static line => !line.StartsWith("export SHOP='", StringComparison.Ordinal))
            .TakeWhile(static line => line != "```").ToList();

        Assert.StartsWith("export TASKRECOVERY_CONNECTION='", lines[1], StringComparison.Ordinal);
        Assert.Equal(count, lines.Count(static line => line.StartsWith("taskrecovery import ", StringComparison.Ordinal)));
        Assert.All(lines.Skip(2), static line => Assert.Contains(" --from SHOP ", line, StringComparison.Ordinal));
    }

    private static bool IsChange(string[] args)
        => args[0] is "retry" or "cancel" or "pause" or "resume" or "undo" or "recover" or "job" or "erase"
            || args is ["ops", "stop" or "continue", ..]
            || (args[0] == "migrate" && !args.Contains("--check") && !args.Contains("--script"));

    private static IEnumerable<string[]> Commands(string text)
        => from Match block in Block().Matches(text.ReplaceLineEndings("\n"))
           where block.Groups["language"].Value is "sh" or ""
           from line in block.Groups["code"].Value.Split('\n')
           where line.StartsWith("taskrecovery ", StringComparison.Ordinal)
           select Word().Matches(line.Split(" #")[0].Split(" | ")[0]).Skip(1).Select(static word => word.Value.Trim('\'', '"')).ToArray();

    [GeneratedRegex(
        @"^```(?<language>\w*)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();

    [GeneratedRegex("""'[^']*'|"[^"]*"|\S+""")]
    private static partial Regex Word();
}
