using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Reference;

/// <summary>The reference of the commands and the schema of their JSON are those of the commands. With TASKRECOVERY_UPDATE_CLI=1 in the
/// environment, these tests write the files.</summary>
public sealed class ReferenceTests
{
    private const string Start = "<!-- Generated from the commands: begin -->\n";
    private const string End = "<!-- Generated from the commands: end -->\n";

    /// <summary>The folder of the documents.</summary>
    public static string Docs => Path.Combine(RepositoryFolder.Root, "docs");

    [Fact]
    public async Task The_page_lists_every_command_and_option()
    {
        var file = Path.Combine(Docs, "cli.md");
        var page = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
        var (start, end) = (page.IndexOf(Start, StringComparison.Ordinal) + Start.Length, page.IndexOf(End, StringComparison.Ordinal));
        Assert.True(start >= Start.Length && end >= start, $"'{file}' has no place for the reference: '{Start.Trim()}', '{End.Trim()}'.");

        await SameAsync(file, page, $"{page[..start]}\n{CliReference.Text()}\n{page[end..]}");
    }

    [Fact]
    public async Task The_schema_is_that_of_the_types_that_are_written()
    {
        var file = Path.Combine(Docs, "cli.schema.json");
        var text = File.Exists(file) ? await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) : "";

        await SameAsync(file, text.ReplaceLineEndings("\n"), CliSchema.Text());
    }

    [Fact]
    public void Every_command_that_writes_json_has_a_schema()
    {
        // A live screen has none, and neither has a command that only groups others.
        var commands = CliReference.Commands().Where(static one => one.Name != "top" && one.Command.Action is not null).Select(
            static one => one.Name);

        Assert.Equal(commands.Order(StringComparer.Ordinal), CliSchema.Names.Order(StringComparer.Ordinal));
    }

    private static async Task SameAsync(string file, string actual, string expected)
    {
        if (Environment.GetEnvironmentVariable("TASKRECOVERY_UPDATE_CLI") == "1" && Environment.GetEnvironmentVariable("CI") is null)
        {
            await File.WriteAllTextAsync(file, expected, TestContext.Current.CancellationToken);
            return;
        }

        Assert.True(expected == actual, $"'{file}' is not that of the commands. If they are right, "
            + $"run this test with TASKRECOVERY_UPDATE_CLI=1. It should be:\n{expected}");
    }
}
