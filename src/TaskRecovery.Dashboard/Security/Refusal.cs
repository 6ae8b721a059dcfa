namespace TaskRecovery.Dashboard.Security;

/// <summary>Why a request is not answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The reason in a few words.</param>
/// <param name="Text">The rule, and what to do.</param>
/// <param name="Code">The line of code to add; <see langword="null"/> if there is none.</param>
internal sealed record Refusal(int Status, string Title, string Text, string? Code = null)
{
    /// <summary>The host name that was refused, as the application sees it; <see langword="null"/> if that is not the reason.</summary>
    public string? Host { get; init; }

    /// <summary>The pages below the root to look at; empty if there are none.</summary>
    public IReadOnlyList<string> Look { get; init; } = [];
}
