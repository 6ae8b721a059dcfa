using Microsoft.AspNetCore.Http;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>A rendered page, before its frame.</summary>
/// <param name="Title">The title.</param>
/// <param name="Section">The place in the navigation.</param>
/// <param name="Content">The content below the title.</param>
internal sealed record Page(string Title, Section Section, Markup Content)
{
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>What is shown beside the title instead of plain text.</summary>
    public Markup Heading { get; init; }

    /// <summary>The line above the title.</summary>
    public Markup Crumb { get; init; }

    /// <summary>Buttons beside the title.</summary>
    public Markup Tools { get; init; }

    /// <summary>How often an open page asks for news; <see langword="null"/> if it does not, because its query is expensive.</summary>
    public TimeSpan? Live { get; init; }

    /// <summary>Whose data the page shows, for the log; <see langword="null"/> if it shows none.</summary>
    public string? Opened { get; init; }

    /// <summary>The page, below the root, that the browser goes to instead; <see langword="null"/> if it stays.</summary>
    public string? RedirectTo { get; init; }
}
