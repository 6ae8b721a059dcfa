using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Who acts: the signed-in user, never a name that a form contains.</summary>
internal static class Audits
{
    // As many characters as the library stores.
    private const int MaxReason = 2_000;

    /// <exception cref="InvalidInputException">The reason can't be stored.</exception>
    public static AuditInfo Of(DashboardRequest request) => Of(request.Access.User, Reason(request.Form["reason"].ToString()));

    public static AuditInfo Of(string user, string? reason) => new(user, reason) { Tool = "dashboard" };

    // If it were ignored, the action would be recorded without the reason that the user gave.
    private static string? Reason(string given) => string.IsNullOrWhiteSpace(given) ? null
        : given.Length > MaxReason
            ? throw new InvalidInputException($"The reason has {given.Length:N0} characters. Use at most {MaxReason:N0}.")
        : given.Contains('\0', StringComparison.Ordinal)
            ? throw new InvalidInputException("The reason has a NUL character. Remove it.")
        : given;
}
