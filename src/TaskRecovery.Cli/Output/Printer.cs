using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace TaskRecovery.Cli.Output;

/// <summary>Writes data to standard output and everything else to standard error. All text is cleaned (see
/// <see cref="CleanText"/>).</summary>
internal sealed class Printer(Terminal terminal)
{
    private readonly IAnsiConsole? _console = terminal.IsRich
        ? AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Out),
            Ansi = terminal.HasColors ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal.HasColors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        })
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

    /// <summary>Writes a line that is not data.</summary>
    public void Note(string text) => terminal.Error.WriteLine(CleanText.OneLine(text));

    /// <summary>Writes a value as JSON, in which every control character is escaped.</summary>
    public void Json<T>(T value, JsonTypeInfo<T> type) => terminal.Out.WriteLine(JsonSerializer.Serialize(value, type));

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

        var shown = new Table().Border(TableBorder.Simple);
        foreach (var column in table.Columns)
        {
            shown.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
        }

        foreach (var row in table.Rows)
        {
            shown.AddRow(row.Select(static cell => new Text(cell, StyleOf(cell))));
        }

        _console.Write(shown);
    }

    private static Style StyleOf(string cell) => cell switch
    {
        nameof(EntryState.Failed) or nameof(NodeState.Dead) or nameof(EntryRunEnd.Lost) => new Style(Color.Red),
        nameof(EntryState.Cancelled) or nameof(NodeState.Silent) or nameof(JobState.Paused) => new Style(Color.Yellow),
        nameof(EntryState.Completed) or nameof(NodeState.Alive) => new Style(Color.Green),
        _ => Style.Plain,
    };
}
