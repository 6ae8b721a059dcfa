namespace TaskRecovery.Cli.Output;

/// <summary>A table of texts.</summary>
internal sealed class TextTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Columns { get; } = columns;

    /// <summary>The rows, each with one cleaned text for each column.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows => _rows;

    /// <summary>Adds a row.</summary>
    public TextTable Add(params string[] cells)
    {
        if (cells.Length != Columns.Count)
        {
            throw new ArgumentException($"The row has {cells.Length} cells, and the table has {Columns.Count} columns.", nameof(cells));
        }

        _rows.Add([.. cells.Select(CleanText.OneLine)]);
        return this;
    }

    /// <summary>Returns the lines of the table with aligned columns and without borders.</summary>
    public IEnumerable<string> ToLines()
    {
        var widths = Columns.Select((column, at) => _rows.Select(row => row[at].Length).Append(column.Length).Max()).ToArray();
        foreach (var row in _rows.Prepend([.. Columns]))
        {
            yield return string.Join("  ", row.Select((cell, at) => cell.PadRight(widths[at]))).TrimEnd();
        }
    }
}
