using System.Buffers;

namespace TaskRecovery.Rules;

/// <summary>A short technical name, such as the id of a codec or the name of an instance, that may stand in metrics, logs and stored
/// values without quotes.</summary>
internal static class ShortId
{
    /// <summary>What is allowed, as the end of a sentence.</summary>
    public const string Allowed = "1 to 50 letters, digits, dots, hyphens or underscores";

    private const int MaxLength = 50;

    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>Returns whether a text is such a name.</summary>
    public static bool IsValid(string? text)
        => text is { Length: >= 1 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Characters);
}
