namespace TaskRecovery.Schedules;

/// <summary>The macros of cron expressions, such as <c>@hourly</c>.</summary>
internal static class CronMacros
{
    private static readonly Dictionary<string, string> Macros = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
        ["@every_minute"] = "* * * * *",
        ["@every_second"] = "* * * * * *",
    };

    /// <summary>The names of all macros.</summary>
    internal static IEnumerable<string> Names => Macros.Keys;

    /// <summary>Returns the expression that a text stands for: its own, or that of the macro.</summary>
    /// <returns><see langword="null"/> if there is no such macro.</returns>
    internal static string? Expand(string text)
    {
        var expression = text.Trim();
        return expression.StartsWith('@') ? Macros.GetValueOrDefault(expression) : expression;
    }
}
