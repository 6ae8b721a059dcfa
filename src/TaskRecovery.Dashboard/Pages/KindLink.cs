using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The link from a kind to its entries.</summary>
internal static class KindLink
{
    /// <summary>A text as a link to the entries of a kind.</summary>
    /// <param name="request">The request.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="text">The text.</param>
    /// <param name="state">The state of the entries; <see langword="null"/> for all.</param>
    public static Markup Of(DashboardRequest request, string kind, Markup text, string? state = null)
        => Path(kind, state) is { } path ? Html($"<a href=\"{request.Href(path)}\">{text}</a>") : text;

    /// <summary>The page of the entries of a kind; <see langword="null"/> if no filter selects them.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="state">The state of the entries; <see langword="null"/> for all.</param>
    public static string? Path(string kind, string? state = null)
        => IsFilter(kind) ? $"entries?{(state is null ? "" : $"state={state}&")}kind={Uri.EscapeDataString(kind)}" : null;

    /// <summary>Whether a filter by this name selects this kind alone. A name with <c>*</c>, which only the store's tables can have, would
    /// select other kinds too, and an action on all that match would change their entries.</summary>
    public static bool IsFilter(string kind) => !kind.Contains('*', StringComparison.Ordinal);
}
