namespace TaskRecovery.Dashboard.Rendering;

/// <summary>A row of a table.</summary>
/// <param name="Id">The id of the element, the same for the same thing after an update; <see langword="null"/> if it has none.</param>
/// <param name="Cells">One cell for each column.</param>
internal sealed record Row(string? Id, params Markup[] Cells);
