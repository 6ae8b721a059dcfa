namespace TaskRecovery.Storage;

/// <summary>The details of events about pauses, the same in both stores.</summary>
internal static class PauseText
{
    /// <summary>The end of a pause, and the pause that it replaces.</summary>
    /// <param name="pause">The pause.</param>
    /// <param name="former">The pause before; <see langword="null"/> if there was none.</param>
    /// <returns><see langword="null"/> if the pause has no end and replaces nothing.</returns>
    public static string? Of(PauseInfo pause, PauseInfo? former)
        => former is not null ? $"{End(pause)}; replaces a pause{By(former)} {End(former)}{(former.Reason is { } why ? $": {why}" : "")}"
            : pause.Until is null ? null
            : End(pause);

    private static string By(PauseInfo pause) => pause.Actor is { } actor ? $" by {actor}" : "";

    private static string End(PauseInfo pause) => pause.Until is { } until ? $"until {until:u}" : "without an end";
}
