using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Who acts: the signed-in user, never a name that a form contains.</summary>
internal static class Audits
{
    public static AuditInfo Of(DashboardRequest request) => Of(request.Access.User, request.Field("reason"));

    public static AuditInfo Of(string user, string? reason) => new(user, reason) { Tool = "dashboard" };
}
