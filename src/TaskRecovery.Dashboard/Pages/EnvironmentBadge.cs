using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The name of the environment, with that of the instance, so that nobody mistakes production for a test system, or one database
/// for another.</summary>
internal sealed class EnvironmentBadge(IOptions<DashboardOptions> options, IHostEnvironment host, DashboardInstance instance)
{
    private string Environment => options.Value.Environment ?? host.EnvironmentName;

    /// <summary>The name of the instance; <see langword="null"/> for the one without a name.</summary>
    public string? Instance => instance.Name;

    public string Name => Instance is null ? Environment : $"{Environment} · {Instance}";

    public Markup Render()
    {
        var careful = !Environment.Equals(Environments.Development, StringComparison.OrdinalIgnoreCase);
        return Html($"<span class=\"environment{(careful ? " careful" : "")}\">{Name}</span>");
    }
}
