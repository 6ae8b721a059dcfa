using System.Text.Json;
using Spectre.Console;

namespace TaskRecovery.Cli.Output;

/// <summary>Writes data to standard output and everything else to standard error. All text is cleaned (see
/// <see cref="CleanText"/>).</summary>
internal sealed class Printer(Terminal terminal)
{
    private static readonly CliJson OnOneLine = new(new JsonSerializerOptions(CliJson.Default.Options) { WriteIndented = false });

    private const string Home = "\e[H";
    private const string ToEndOfLine = "\e[K";
    private const string ToEndOfScreen = "\e[J";
    private const string OtherScreen = "\e[?1049h\e[?25l";
    private const string FirstScreen = "\e[?25h\e[?1049l";

    private readonly IAnsiConsole? _console = terminal.IsRich
        ? CreateConsole(terminal.Out, terminal.HasColors ? AnsiSupport.Detect : AnsiSupport.No)
        : null;

    /// <summary>Writes a line of data.</summary>
    public void Line(string text) => terminal.Out.WriteLine(CleanText.OneLine(text));

    /// <summary>Writes a text of several lines, indented by two spaces.</summary>
    public void Block(string text)
    {
        foreach (var line in CleanText.Lines(text))
        {
            terminal.Out.WriteLine($"  {line}");
        }
    }

    /// <summary>Writes statements of this library as they are.</summary>
    public void Raw(string text) => terminal.Out.Write(text);

    /// <summary>Writes a line that is not data.</summary>
    public void Note(string text) => terminal.Error.WriteLine(CleanText.OneLine(text));

    /// <summary>Writes a value as JSON, in which every control character is escaped.</summary>
    public void Json<T>(T value, OutputFormat format)
        => terminal.Out.WriteLine(
            JsonSerializer.Serialize(value, typeof(T), format == OutputFormat.JsonLines ? OnOneLine : CliJson.Default));

    /// <summary>Writes a table: with borders to a terminal, otherwise as aligned columns.</summary>
    public void Table(TextTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (_console is null)
        {
            foreach (var line in table.ToLines())
            {
                terminal.Out.WriteLine(line);
            }

            return;
        }

        _console.Write(ShownOf(table));
    }

    /// <summary>Clears a terminal.</summary>
    public void ClearScreen()
    {
        if (terminal.IsRich)
        {
            terminal.Out.Write(Home + ToEndOfScreen);
        }
    }

    /// <summary>Switches to the other screen of the terminal, without a cursor, until the result is disposed.</summary>
    public IDisposable UseOtherScreen()
    {
        terminal.Out.Write(OtherScreen);
        return new ScreenUse(terminal.Out);
    }

    /// <summary>Writes a whole screen over the one before: lines and tables, cut off at its last row.</summary>
    public void Screen(IEnumerable<object> parts)
    {
        var (columns, rows) = terminal.Size();
        using var text = new StringWriter { NewLine = "\n" };
        var console = CreateConsole(text, terminal.HasColors ? AnsiSupport.Yes : AnsiSupport.No);
        console.Profile.Width = Math.Max(columns, 40);
        foreach (var part in parts)
        {
            console.Write(part is TextTable table ? ShownOf(table) : new Text($"{CleanText.OneLine((string)part)}\n"));
        }

        // A table begins and ends with an empty line, for which a screen has no room.
        var lines = text.ToString().Split('\n').Where(static line => !string.IsNullOrWhiteSpace(line)).Take(Math.Max(rows - 1, 1));
        terminal.Out.Write($"{Home}{string.Concat(lines.Select(static line => $"{line}{ToEndOfLine}\n"))}{ToEndOfScreen}");
        terminal.Out.Flush();
    }

    private static IAnsiConsole CreateConsole(TextWriter output, AnsiSupport ansi) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(output),
        Ansi = ansi,
        ColorSystem = ansi switch
        {
            AnsiSupport.No => ColorSystemSupport.NoColors,
            AnsiSupport.Yes => ColorSystemSupport.Standard,
            _ => ColorSystemSupport.Detect,
        },
    });

    private static Table ShownOf(TextTable table)
    {
        var shown = new Table().Border(TableBorder.Simple);
        foreach (var column in table.Columns)
        {
            shown.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
        }

        foreach (var row in table.Rows)
        {
            shown.AddRow(row.Select(static cell => new Text(cell, StyleOf(cell))));
        }

        return shown;
    }

    private sealed class ScreenUse(TextWriter output) : IDisposable
    {
        public void Dispose()
        {
            output.Write(FirstScreen);
            output.Flush();
        }
    }

    private static Style StyleOf(string cell) => cell switch
    {
        nameof(EntryState.Failed) or nameof(NodeState.Dead) or nameof(EntryRunEnd.Lost) => new Style(Color.Red),
        nameof(EntryState.Cancelled) or nameof(NodeState.Silent) or nameof(JobState.Paused) => new Style(Color.Yellow),
        nameof(EntryState.Completed) or nameof(NodeState.Alive) => new Style(Color.Green),
        _ => Style.Plain,
    };
}
