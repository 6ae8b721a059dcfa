using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The name of the environment, so that nobody mistakes production for a test system.</summary>
internal sealed class EnvironmentBadge(IOptions<DashboardOptions> options, IHostEnvironment host)
{
    public string Name => options.Value.Environment ?? host.EnvironmentName;

    public Markup Render()
    {
        var careful = !Name.Equals(Environments.Development, StringComparison.OrdinalIgnoreCase);
        return Html($"<span class=\"environment{(careful ? " careful" : "")}\">{Name}</span>");
    }
}
