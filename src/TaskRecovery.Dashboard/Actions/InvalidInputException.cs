using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>What a user sent can't be used. The message says what is wrong and what to do.</summary>
internal sealed class InvalidInputException(string message) : Exception(message)
{
    private const int MaxShown = 50;

    /// <summary>A value that can't be used.</summary>
    public static InvalidInputException Of(string name, string text, string allowed)
        => new($"'{Shown(text)}' can't be the value of '{name}'. Use {allowed}.");

    /// <summary>A text of a user for a message: shortened, and without invisible characters.</summary>
    public static string Shown(string? text) => InvisibleText.Shown(text?.Length > MaxShown ? text[..MaxShown] + "…" : text ?? "");
}
