using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>A table. On a small screen its style turns each row into a card with a label before each cell; the roles say that it is still a
/// table then.</summary>
/// <param name="caption">What the table lists. It is read aloud; the heading above it is what others see.</param>
/// <param name="columns">The columns. The first one that is not a checkbox is the header of its row.</param>
internal sealed class Table(string caption, params Column[] columns)
{
    private const int MaxNarrow = 4;

    /// <summary>A further class of the cards, with a space before it.</summary>
    public string Style { get; init; } = "";

    public Markup Render(IEnumerable<Row> rows) => Html($"""
        <table{When(columns.Length > MaxNarrow, Html($" class=\"cards{Style}\""))} role="table"><caption class="hidden">{caption}</caption>
        <thead role="rowgroup"><tr role="row">{Each(columns, Head)}</tr></thead>
        <tbody role="rowgroup">{Each(rows, Body)}</tbody></table>
        """);

    private static Markup Head(Column column)
        => Html($"<th role=\"columnheader\" scope=\"col\"{Class(column.Style)}>{(column.Head.IsEmpty ? Text(column) : column.Head)}</th>");

    private static Markup Text(Column column)
        => column.IsNamed ? Html($"{column.Name}") : Html($"<span class=\"hidden\">{column.Name}</span>");

    private Markup Body(Row row)
    {
        var header = columns[0].IsPick ? 1 : 0;
        var cells = row.Cells.Select((cell, index) => Cell(columns[index], cell, index == header));
        return Html($"<tr role=\"row\"{(row.Id is null ? default : Html($" id=\"{row.Id}\""))}>{Each(cells, cell => cell)}</tr>\n");
    }

    private static Markup Cell(Column column, Markup content, bool isHeader) => isHeader
        ? Html($"<th role=\"rowheader\" scope=\"row\"{Class(column.Style)}>{content}</th>")
        : content.IsEmpty
            ? Html($"<td role=\"cell\" class=\"blank\"></td>")
            : Html($"<td role=\"cell\"{Class(column.Style)}{When(column.IsNamed
                && !column.IsPick, Html($" data-label=\"{column.Name}\""))}><div>{content}</div></td>");

    private static Markup Class(string style) => style.Length == 0 ? default : Html($" class=\"{style}\"");
}
