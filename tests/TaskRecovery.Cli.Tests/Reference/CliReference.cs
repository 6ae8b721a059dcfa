using System.CommandLine;
using System.Text;
using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Tests.Reference;

/// <summary>The reference of the commands, made from the commands themselves.</summary>
internal static class CliReference
{
    /// <summary>The options of every command that changes something.</summary>
    private static readonly string[] OfChanges = ["--yes", "--dry-run", "--actor", "--reason"];

    private static readonly string[] OfTheLibrary = ["--help", "--version"];

    /// <summary>All commands, each with its full name.</summary>
    public static IReadOnlyList<(string Name, Command Command)> Commands()
    {
        var root = Root();
        return [.. root.Subcommands.SelectMany(
            command => command.Subcommands.Select(one => ($"{command.Name} {one.Name}", one)).Prepend((command.Name, command)))
            .Where(static one => one.Item2.Action is not null)];
    }

    /// <summary>The text of the reference.</summary>
    public static string Text()
    {
        var text = new StringBuilder();
        text.Append("### Options of every command\n\n");
        Append(text, Root().Options.Where(static option => !OfTheLibrary.Contains(option.Name)));
        text.Append("\n### Options of every command that changes something\n\n");
        Append(text, Commands().First(static one => one.Name == "retry").Command.Options.Where(
            static option => OfChanges.Contains(option.Name)));
        foreach (var (name, command) in Commands())
        {
            text.Append($"\n### `{string.Join(' ', command.Arguments.Select(ShownOf).Prepend(name))}`\n\n");
            text.Append(Wrapped(command.Description!));
            var changes = command.Options.Any(static option => option.Name == "--yes");
            var own = command.Options.Where(option => !option.Recursive && !OfTheLibrary.Contains(option.Name)
                && !(changes && OfChanges.Contains(option.Name))).ToArray();
            if (changes)
            {
                text.Append("It changes something.\n");
            }

            if (own.Length + command.Arguments.Count > 0)
            {
                text.Append('\n');
                Append(text, own, command.Arguments);
            }
        }

        return text.ToString();
    }

    private static RootCommand Root() => CommandLine.Create(new CommandFrame(new Terminal
    {
        Out = TextWriter.Null,
        Error = TextWriter.Null,
        In = TextReader.Null,
        Variable = static _ => null,
    }));

    private static void Append(StringBuilder text, IEnumerable<Option> options, IEnumerable<Argument>? arguments = null)
    {
        text.Append("| | |\n|---|---|\n");
        foreach (var argument in arguments ?? [])
        {
            text.Append($"| `{argument.Name}` | {Cell(argument.Description!)} |\n");
        }

        foreach (var option in options)
        {
            var names = string.Join(
                ", ", option.Aliases.Prepend(option.Name).OrderBy(static name => name.Length).Select(static name => $"`{name}`"));
            text.Append($"| {names} | {Cell(option.Description!)} |\n");
        }
    }

    private static string ShownOf(Argument argument) => argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}...]" : argument.Name;

    private static string Cell(string description) => description.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Wrapped(string description)
    {
        var text = new StringBuilder();
        var column = 0;
        foreach (var word in description.Split(' '))
        {
            if (column + word.Length > 138)
            {
                text.Append('\n');
                column = 0;
            }

            text.Append(column == 0 ? word : $" {word}");
            column += word.Length + 1;
        }

        return text.Append('\n').ToString();
    }
}
